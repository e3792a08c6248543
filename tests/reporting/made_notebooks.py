"""Notebooks for tests, made cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def code(source: str, *tags: str, outputs: list[dict[str, Any]] | None = None) -> Cell:
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "execution_count": None,
        "outputs": outputs or [],
        "source": source,
    }


def text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def shown(data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def printed(words: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": words}


def notebook(*cells: Cell) -> dict[str, Any]:
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": numbered}


def write(path: Path, *cells: Cell) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells)), encoding="utf-8")
    return path
