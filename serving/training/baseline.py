"""Writes baseline/VERSION.json: how often each value of each feature came, for the gateway to compare requests with."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .json_file import write_json

SCHEMA = 1
# Deciles: with fewer buckets a shift within one is not seen, with more each has few values.
BUCKETS = 10
MOST_CATEGORIES = 50
# Buckets of the gateway's metrics. A category of this name counts as the bucket.
RESERVED = ("", "(other)", "(missing)")
LONGEST = 200
Numbers = npt.NDArray[np.float64]
Feature = dict[str, Any]


def _edge(below: float, above: float) -> float:
    """The shortest decimal number that is above `below` and at most `above`; of whole numbers the upper one."""
    if below.is_integer() and above.is_integer():
        return above
    middle = (below + above) / 2
    shortened = (float(f"{middle:.{digits}g}") for digits in range(1, 17))
    return next((edge for edge in shortened if below < edge <= above), above)


def edges_of(values: Numbers, buckets: int = BUCKETS) -> list[float]:
    """Edges between quantiles. No bucket is empty, and a value that comes often has a bucket of its own.

    Each distinct value belongs to the quantile of its mid-rank: the values below it and half of its own.
    """
    distinct, counts = np.unique(values, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(values)
    quantiles = np.floor(middles * buckets)
    starts = np.flatnonzero(np.diff(quantiles)) + 1
    return [_edge(float(distinct[start - 1]), float(distinct[start])) for start in starts]


def number(values: npt.ArrayLike) -> Feature:
    """A feature of numbers. NaN is missing. Raises ValueError if all are."""
    given = np.asarray(values, np.float64)
    known = given[~np.isnan(given)]
    if not len(known):
        raise ValueError("a feature without a value has no baseline")
    edges = edges_of(known)
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {"kind": "number", "edges": edges, "counts": counts.tolist(), "missing": len(given) - len(known)}


def category(values: Iterable[str], known: Iterable[str] = ()) -> Feature:
    """A feature of categories: the most frequent ones, by name. The empty string is missing.

    `known`: categories that count also where no value has them.
    """
    found = Counter(values)
    missing = found.pop("", 0)
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    usable = [name for name, _ in most if name not in RESERVED and len(name) <= LONGEST]
    kept = list(dict.fromkeys([*usable, *(name for name in known if name)]))[:MOST_CATEGORIES]
    counts = {name: found[name] for name in sorted(kept)}
    other = found.total() - sum(counts.values())
    return {"kind": "category", "counts": counts, "other": other, "missing": missing}


def baseline_file(model_folder: Path, version: int) -> Path:
    """The file of a version, beside parity/ and evaluation/."""
    return model_folder / "baseline" / f"{version}.json"


def write_baseline(
    model_folder: Path,
    version: int,
    rows: int,
    features: dict[str, Feature],
    source: str,
    *,
    outliers: dict[str, Any] | None = None,
    name: str = "",
) -> None:
    """Writes the features. `source`: in a few words where the rows are from. `name`: if the folder has another one."""
    file = baseline_file(model_folder, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    head = {"schema": SCHEMA, "model": name or model_folder.name, "version": version, "source": source, "rows": rows}
    write_json(file, {**head, "features": features, **({"outliers": outliers} if outliers else {})})
