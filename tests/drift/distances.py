"""Reads a prediction log and a baseline, and prints the distances of each feature, in plain numpy.

Usage: distances.py LOG BASELINE. The values are counted from the lines, without code of the gateway.
"""

import json
import sys
from pathlib import Path

import numpy as np


def shares(feature, values):
    """The shares of the baseline and of the values, in the same buckets."""
    if feature["kind"] == "number":
        edges = [-np.inf, *feature["edges"], np.inf]
        counted = [np.sum((values >= low) & (values < high)) for low, high in zip(edges, edges[1:], strict=False)]
        expected = feature["counts"]
    else:
        counted = [np.sum(values == name) for name in feature["counts"]]
        counted.append(len(values) - sum(counted))
        expected = [*feature["counts"].values(), feature["other"]]
    return np.array(expected) / np.sum(expected), np.array(counted) / np.sum(counted)


def distances(p, q):
    """PSI, the Jensen-Shannon divergence in bits, and L-infinity."""
    low_p, low_q = np.clip(p, 1e-4, None), np.clip(q, 1e-4, None)
    mean = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(one > 0, one * np.log2(one / mean), 0) for one in (p, q)]
    return {
        "psi": float(np.sum((low_p - low_q) * np.log(low_p / low_q))),
        "js": float(np.sum(parts) / 2),
        "linf": float(np.max(np.abs(p - q))),
    }


log, baseline = (Path(name).read_text() for name in sys.argv[1:])
rows = [json.loads(line)["input"]["values"] for line in log.splitlines()]
features = json.loads(baseline)["features"]
print(
    json.dumps(
        {
            name: distances(*shares(feature, np.array([row[name.removeprefix("input.")] for row in rows])))
            for name, feature in features.items()
        }
    )
)
