"""The migrations of a journal's tables, which Alembic runs: `versions` has one file a step."""
