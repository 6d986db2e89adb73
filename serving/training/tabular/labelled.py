"""Customers whose predictions and labels are in a prediction log (docs/prediction-log.md)."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .customers import FEATURES, Customers, Parts
from .network import Row, columns_of

# A prediction of another schema may mean something else.
SCHEMA = 1
# With fewer in the test part, the gate would decide by chance.
FEWEST = 1000
LABELS = {"true": True, "false": False}
Line = dict[str, Any]


def _lines(log: Path, kind: str) -> Iterator[Line]:
    """The lines of a kind, in the order of the files. Half a line after a kill, and other lines, are skipped."""
    if not log.exists():
        raise ValueError(f"{log}: no such file or folder")
    files = sorted([*log.glob("*.jsonl"), *log.glob("*.jsonl.part")]) if log.is_dir() else [log]
    for file in files:
        with file.open() as lines:
            for text in lines:
                if f'"{kind}"' not in text:
                    continue
                try:
                    line = json.loads(text)
                except json.JSONDecodeError:
                    continue
                if line.get("kind") == kind and line.get("schema") == SCHEMA:
                    yield line


def _labels(log: Path) -> dict[str, bool]:
    """The last label of each id, by time."""
    last: dict[str, tuple[str, str]] = {}
    for line in _lines(log, "feedback"):
        said = (line["time"], line["label"])
        last[line["id"]] = max(last.get(line["id"], said), said)
    return {key: LABELS[label] for key, (_, label) in last.items() if label in LABELS}


def read_labelled(log: Path, model: str) -> tuple[list[str], Customers]:
    """The ids and the customers of the model's predictions that have a label, each once. Raises ValueError for few."""
    labels, rows = _labels(log), dict[str, Row]()
    for line in _lines(log, "prediction"):
        values = line["input"].get("values", {})
        if line["model"] == model and line["id"] in labels and all(feature.name in values for feature in FEATURES):
            rows[line["id"]] = values
    if len(rows) < FEWEST:
        raise ValueError(f"{log}: has {len(rows)} labelled predictions of {model}, and {FEWEST} are needed")
    ids = sorted(rows)
    left = np.array([labels[key] for key in ids], np.bool_)
    return ids, Customers(columns_of(FEATURES, [rows[key] for key in ids]), left, None)


def _tenth(key: str) -> int:
    """From 0 to 9, always the same for an id: a customer never moves from one part to another."""
    return hashlib.sha256(key.encode()).digest()[0] % 10


def _joined(one: Customers, other: Customers) -> Customers:
    columns = {name: np.concatenate([column, other.columns[name]]) for name, column in one.columns.items()}
    return Customers(columns, np.concatenate([one.left, other.left]), None)


def with_labelled(parts: Parts, log: Path, model: str) -> Parts:
    """Adds six tenths of the labelled customers to those for training.

    Two tenths replace those for validation and for test each: candidate and current version are compared on what they
    are asked now.
    """
    ids, customers = read_labelled(log, model)
    tenths = np.array([_tenth(key) for key in ids])
    train, validation, test = (
        customers.at(np.flatnonzero(chosen)) for chosen in (tenths < 6, (tenths >= 6) & (tenths < 8), tenths >= 8)
    )
    return Parts(_joined(parts.train, train), validation, test)
