"""Notebooks into reports: run them with papermill, make pages of them that open anywhere."""
