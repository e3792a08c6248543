"""Panels for JupyterLab: thin views over results and, later, over running bots. ipywidgets loads on first use."""

from workbench.widgets.series_browser import SeriesBrowser

__all__ = ["SeriesBrowser"]
