"""Metrics of an exported version on photos of known classes."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from PIL import Image

from training.data import Photo
from training.evaluate import evaluate, measured, per_class, sizes
from training.json_file import write_json

from .conftest import CLASSES


def _answers() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Four photos of each class, of which one dress is classified as a hat."""
    labels = np.repeat(np.arange(10), 4)
    guesses = labels.copy()
    guesses[0] = 1
    return 5.0 * np.eye(10)[guesses], labels


def test_metrics_are_consistent() -> None:
    """39 of 40 photos are right, all with the same confidence."""
    logits, labels = _answers()
    figures = measured(logits, labels, CLASSES)
    sure = np.exp(5) / (np.exp(5) + 9)
    unsure = (1 - sure) / 9
    assert (figures["photos"], figures["correct"], figures["accuracy"]) == (40, 39, 0.975)
    assert figures["confusion"][0] == [3, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert figures["loss"] == pytest.approx(-(39 * np.log(sure) + np.log(unsure)) / 40, abs=1e-4)
    assert figures["calibration_error"] == pytest.approx(0.975 - sure, abs=1e-4)
    assert [row["photos"] for row in figures["reliability"]] == [40]


def test_precision_and_recall_are_not_swapped() -> None:
    """A dress was classified as a hat."""
    dress, hat = measured(*_answers(), CLASSES)["per_class"][:2]
    assert dress == {"class": "dress", "photos": 4, "precision": 1, "recall": 0.75, "f1": 0.8571}
    assert hat == {"class": "hat", "photos": 4, "precision": 0.8, "recall": 1, "f1": 0.8889}


def test_a_class_without_photos_has_zeros() -> None:
    """There is no division by zero."""
    assert per_class(np.zeros((10, 10), int), CLASSES)[0]["f1"] == 0


def test_photos_are_evaluated_with_the_saved_model(tmp_path: Path) -> None:
    """A model that classifies by the red value of the first pixel, on photos with matching colours except the last."""

    def predict(image: tf.Tensor) -> dict[str, tf.Tensor]:
        red = tf.cast(tf.round((image[:, 0, 0, 0] + 1) * 127.5 / 20), tf.int32)
        return {"logits": tf.one_hot(red, len(CLASSES), on_value=4.0)}

    version = tmp_path / "1"
    spec = tf.TensorSpec([None, 299, 299, 3], tf.float32, name="image")
    signatures = {"serving_default": tf.function(predict, input_signature=[spec])}
    tf.saved_model.save(tf.Module(), str(version), signatures=signatures)
    photos = [Photo(tmp_path / f"{label}.png", label) for label in range(10)]
    for photo in photos:
        Image.new("RGB", (320, 200), (20 * photo.label, 0, 0)).save(photo.path)
    Image.new("RGB", (320, 200)).save(photos[-1].path)
    figures = evaluate(version, photos, CLASSES)
    assert (figures["photos"], figures["correct"]) == (10, 9)
    assert figures["confusion"][9][0] == 1


def test_sizes_count_each_file_once(tmp_path: Path) -> None:
    """The sizes are summed by format."""
    (tmp_path / "variables").mkdir()
    files = {"saved_model.pb": 1, "variables/data": 20, "model.onnx": 300, "serving_uint8.onnx": 4000}
    for name, size in files.items():
        (tmp_path / name).write_bytes(b"." * size)
    assert sizes(tmp_path) == {"saved_model": 21, "onnx": 4300}


def test_json_lines_fit_the_width(tmp_path: Path) -> None:
    """Each row of numbers is on one line, also beside texts with brackets."""
    value = {"confusion": [[10] * 50, [20] * 50], "names": ["[a, b]", "{", "é"], "empty": [{}, []], "none": None}
    write_json(tmp_path / "1.json", value)
    text = (tmp_path / "1.json").read_text()
    assert json.loads(text) == value
    assert len(text.splitlines()) == 9 and text.endswith("}\n")
