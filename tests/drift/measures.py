"""PSI, Jensen-Shannon and L-infinity of raw values against a baseline, with NumPy only: what Prometheus has to compute too."""

import json
import sys

import numpy as np


def shares(feature, values):
    """The shares of the values, and of the baseline, by bucket. NaN comes as null."""
    if feature["kind"] == "category":
        names = list(feature["counts"])
        known = [values.count(name) for name in names]
        missing = values.count("")
        now = [*known, len(values) - sum(known) - missing, missing]
        then = [*feature["counts"].values(), feature.get("other", 0), feature.get("missing", 0)]
    else:
        numbers = np.array([np.nan if value is None else value for value in values], float)
        counts = np.zeros(len(feature["edges"]) + 1)
        np.add.at(counts, np.digitize(numbers[~np.isnan(numbers)], feature["edges"]), 1)
        now = [*counts, np.isnan(numbers).sum()]
        then = [*feature["counts"], feature.get("missing", 0)]
    return np.array(now) / np.sum(now), np.array(then) / np.sum(then)


def psi(p, q):
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return np.sum((p - q) * np.log(p / q))


def kullback_leibler(p, m):
    there = p > 0
    return np.sum(p[there] * np.log2(p[there] / m[there]))


def js(p, q):
    m = (p + q) / 2
    return (kullback_leibler(p, m) + kullback_leibler(q, m)) / 2


def measures(feature, values):
    p, q = shares(feature, values)
    return {"linf": np.abs(p - q).max()} if feature["kind"] == "category" else {"psi": psi(p, q), "js": js(p, q)}


given = json.load(sys.stdin)
found = {name: measures(feature, given["values"][name]) for name, feature in given["features"].items()}
json.dump(found, sys.stdout, default=float)
