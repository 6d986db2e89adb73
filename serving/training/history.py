"""The learning curve of a run: a row of figures for each finished epoch, and which of them is the best."""

import json
from pathlib import Path

HISTORY = "history.json"
Row = dict[str, float]


def quality(row: Row) -> tuple[float, float]:
    """What makes an epoch better than another: validation accuracy, then validation loss."""
    return row["accuracy"], -row["validation_loss"]


def best_row(history: list[Row]) -> Row:
    """The first of the best epochs."""
    return max(history, key=quality)


def read_history(work: Path) -> list[Row]:
    """The finished epochs of the run in a work folder; none if there is no run."""
    file = work / HISTORY
    rows: list[Row] = json.loads(file.read_text()) if file.exists() else []
    return rows
