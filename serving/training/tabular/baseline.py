"""The baseline of a table: its inputs, and what the model answers to them."""

from pathlib import Path

from ..baseline import Feature, category, number, write_baseline
from ..outliers import outliers_of
from ..served import tensorflow_call
from .network import Columns


def _features(prefix: str, columns: Columns) -> dict[str, Feature]:
    return {
        f"{prefix}.{name}": category(column.tolist()) if column.dtype == object else number(column.reshape(-1))
        for name, column in columns.items()
    }


def write_table_baseline(version: Path, columns: Columns, source: str) -> None:
    """Writes the baseline of the version in a model folder, of the rows in these columns [n]."""
    outputs = tensorflow_call(version)(columns)
    features = {**_features("input", columns), **_features("output", outputs)}
    rows = len(next(iter(columns.values())))
    outliers = outliers_of(features, {f"input.{name}": column.reshape(-1) for name, column in columns.items()})
    write_baseline(version.parent, int(version.name), rows, features, source, outliers=outliers)
