"""Where market data comes from: venues through ccxt."""
