"""The history of a run: one row of metrics per finished epoch, and which epoch is the best."""

import json
from pathlib import Path

HISTORY = "history.json"
Row = dict[str, float]


def quality(row: Row) -> tuple[float, float]:
    """The sort key of epochs: validation accuracy, then validation loss."""
    return row["accuracy"], -row["validation_loss"]


def best_row(history: list[Row]) -> Row:
    """The best epoch; the first one if several are equal."""
    return max(history, key=quality)


def read_history(work: Path) -> list[Row]:
    """The finished epochs of the run in a work folder. Empty if there is no run."""
    file = work / HISTORY
    rows: list[Row] = json.loads(file.read_text()) if file.exists() else []
    return rows
