"""The market as it happens: feeds of typed events, live, recorded or replayed."""
