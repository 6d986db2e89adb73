"""Turns the best weights of a run into a version to serve: export, compare, draw, measure, describe."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from . import evaluate
from .card import write_card
from .data import photos_of, tensors
from .export import export, largest_difference
from .model import build_trunk
from .parity import write_parity
from .served import tensorflow_scores
from .settings import VERSION, Settings
from .train import BEST, HISTORY, Row, quality


def _training(history: list[Row]) -> Row:
    best = max(history, key=quality)
    minutes = round(history[-1]["seconds"] / 60, 1)
    return {"epochs": len(history), "best_epoch": best["epoch"], "minutes": minutes}


def finish(data: Path, work: Path, out: Path, settings: Settings) -> dict[str, Any]:
    """Writes OUT/1, OUT/parity, OUT/evaluation and OUT/README.md; fails if the two formats disagree."""
    version = out / str(VERSION)
    trunk = build_trunk()
    trunk.load_weights(work / BEST)
    export(trunk, version)
    validation, test = photos_of(data, "validation"), photos_of(data, "test")
    # Every third photo: a hundred of them, of all classes.
    difference = largest_difference(version, islice(tensors(validation[::3], batch=10), 10))
    scores = tensorflow_scores(version)
    write_parity(out / "parity", VERSION, scores)
    counts = evaluate.confusion(scores, test)
    figures = {
        "version": VERSION,
        "test": evaluate.accuracy(counts),
        "validation": evaluate.accuracy(evaluate.confusion(scores, validation)),
        "confusion": counts.tolist(),
        "per_class": evaluate.per_class(counts),
        "parameters": trunk.count_params(),
        "sizes": evaluate.sizes(version),
        "milliseconds": [evaluate.milliseconds(version, threads) for threads in (1, 2)],
        "difference": difference,
        "training": _training(json.loads((work / HISTORY).read_text())),
    }
    write_card(out, figures, settings)
    return figures
