"""Measures an exported version: confusion by way of the SavedModel, sizes, and CPU time per picture."""

import statistics
import time
from pathlib import Path

import numpy as np

from .data import Photo, tensors
from .served import Scores, onnx_scores
from .settings import CLASSES, SIDE

Figures = dict[str, object]


def confusion(scores: Scores, photos: list[Photo]) -> np.ndarray:
    """Counts [true, predicted]."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    guesses = np.concatenate([scores(batch).argmax(1) for batch in tensors(photos)])
    np.add.at(counts, ([photo.label for photo in photos], guesses), 1)
    return counts


def accuracy(counts: np.ndarray) -> Figures:
    """Photos, how many were right, and the share."""
    right, photos = int(counts.trace()), int(counts.sum())
    return {"photos": photos, "correct": right, "accuracy": round(right / photos, 4)}


def per_class(counts: np.ndarray) -> list[Figures]:
    """Precision, recall and F1 of each class; 0 where a class was never predicted or never seen."""
    rows = []
    for index, name in enumerate(CLASSES):
        right, predicted, photos = (int(n) for n in (counts[index, index], counts[:, index].sum(), counts[index].sum()))
        figures = {
            "precision": right / max(predicted, 1),
            "recall": right / max(photos, 1),
            "f1": 2 * right / max(predicted + photos, 1),
        }
        rows.append({"class": name, "photos": photos} | {key: round(value, 4) for key, value in figures.items()})
    return rows


def milliseconds(version: Path, threads: int, runs: int = 60) -> Figures:
    """Median clock time of one picture through model.onnx, and CPU time, which a busy machine distorts less."""
    scores, tensor = onnx_scores(version, threads), np.zeros((1, SIDE, SIDE, 3), np.float32)
    for _ in range(5):
        scores(tensor)
    clock, cpu = [], []
    for _ in range(runs):
        clock_start, cpu_start = time.perf_counter(), time.process_time()
        scores(tensor)
        clock.append(1000 * (time.perf_counter() - clock_start))
        cpu.append(1000 * (time.process_time() - cpu_start))
    return {"threads": threads, "clock": round(statistics.median(clock), 1), "cpu": round(statistics.median(cpu), 1)}


def sizes(version: Path) -> dict[str, int]:
    """Bytes of each format."""
    onnx = (version / "model.onnx").stat().st_size
    everything = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
    return {"saved_model": everything - onnx, "onnx": onnx}
