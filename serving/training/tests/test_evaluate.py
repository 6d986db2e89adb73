"""Figures from a confusion matrix, and the card made of them."""

import json
from pathlib import Path

import numpy as np

from training.card import write_card
from training.evaluate import accuracy, per_class
from training.settings import Settings


def _counts() -> np.ndarray:
    """Four photos of each class, of which one dress was taken for a hat."""
    counts = 4 * np.eye(10, dtype=int)
    counts[0, 0], counts[0, 1] = 3, 1
    return counts


def test_accuracy_counts_the_diagonal() -> None:
    """39 of 40."""
    assert accuracy(_counts()) == {"photos": 40, "correct": 39, "accuracy": 0.975}


def test_precision_and_recall_are_not_mixed_up() -> None:
    """The dress was missed, the hat was claimed."""
    dress, hat = per_class(_counts())[:2]
    assert dress == {"class": "dress", "photos": 4, "precision": 1, "recall": 0.75, "f1": 0.8571}
    assert hat == {"class": "hat", "photos": 4, "precision": 0.8, "recall": 1, "f1": 0.8889}


def test_class_never_seen_has_figures_too() -> None:
    """Zeros, not a division by zero."""
    assert per_class(np.zeros((10, 10), int))[0]["f1"] == 0


def test_card_says_what_the_file_says(tmp_path: Path) -> None:
    """Both written from the same figures."""
    figures = {
        "version": 1, "test": accuracy(_counts()), "validation": accuracy(_counts()), "confusion": _counts().tolist(),
        "per_class": per_class(_counts()), "parameters": 1234567,
        "sizes": {"saved_model": 7_000_000, "onnx": 6_500_000},
        "milliseconds": [{"threads": 1, "clock": 9.5, "cpu": 9.0}], "difference": 1e-6,
        "training": {"epochs": 3, "best_epoch": 2, "minutes": 5.0},
    }  # fmt: skip
    write_card(tmp_path, figures, Settings())
    card = (tmp_path / "README.md").read_text()
    assert json.loads((tmp_path / "evaluation" / "1.json").read_text()) == figures
    assert "**97.5 %** (39 right)" in card and "1,234,567" in card and "| **dress** | 3 | 1 | 0 |" in card
