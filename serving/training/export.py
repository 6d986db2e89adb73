"""Writes a version: a SavedModel for TF-Serving, the same graphs in ONNX, and warm-up requests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from .agreement import largest_difference
from .data import Photo, normalise, read_pixels
from .explain import EXPLAIN, explain_signature
from .explain_onnx import write_explain_onnx
from .fold import fold
from .model import build_served
from .served import Scores, onnx_scores, tensorflow_scores
from .settings import INPUT, OUTPUT, SIDE, SIGNATURE, Settings
from .stored import call_with, stored_weights
from .to_onnx import write_onnx
from .warmup import write_warmup

PIXEL_SIGNATURE = "serving_uint8"
BATCH = 10


def _signature(dtype: tf.DType, logits: Callable[[tf.Tensor], tf.Tensor]) -> tf.types.experimental.GenericFunction:
    spec = tf.TensorSpec([None, SIDE, SIDE, 3], dtype, name=INPUT)
    return tf.function(lambda image: {OUTPUT: logits(image)}, input_signature=[spec])


def _save(served: keras.Model, version: Path, kind: str) -> None:
    """Writes the SavedModel: float32, uint8 pixels with a quarter of the bytes per request, and explanations."""
    module = tf.Module()
    # Track only the weights: tracking the Keras model would also save every layer.
    module.weights = stored_weights(served, kind)

    def logits(image: tf.Tensor) -> tf.Tensor:
        return call_with(served, module.weights, image)

    spec = tf.TensorSpec([None, SIDE, SIDE, 3], name=INPUT)
    explain, inputs = explain_signature(lambda images: logits(images[0]), [spec], OUTPUT)
    signatures = {
        SIGNATURE: _signature(tf.float32, logits),
        PIXEL_SIGNATURE: _signature(tf.uint8, lambda image: logits(tf.cast(image, tf.float32) / 127.5 - 1)),
        EXPLAIN: tf.function(explain, input_signature=inputs),
    }
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(version), signatures=signatures, options=options)
    (version / "assets").rmdir()


def export(trunk: keras.Model, version: Path, name: str, settings: Settings, temperature: float = 1.0) -> None:
    """Replaces the version's folder. The exported logits are divided by the temperature."""
    shutil.rmtree(version, ignore_errors=True)
    _save(build_served(fold(trunk, temperature), settings), version, settings.stored)
    write_onnx(version)
    if lacking := write_explain_onnx(version):
        raise ValueError(f"no gradients of {lacking}")
    write_warmup(version, name)


def _paths(version: Path) -> dict[str, tuple[Scores, bool]]:
    """Every combination of format and signature, and whether it takes uint8 pixels."""
    return {
        f"{name} {signature}": (scores, signature == PIXEL_SIGNATURE)
        for signature in (SIGNATURE, PIXEL_SIGNATURE)
        for name, scores in (
            ("SavedModel", tensorflow_scores(version, signature)),
            ("ONNX", onnx_scores(version, signature=signature)),
        )
    }


def prove(version: Path, photos: list[Photo]) -> float:
    """The largest difference of a logit between all formats and signatures. Raises ValueError if it is too large."""
    paths, largest = _paths(version), 0.0
    for start in range(0, len(photos), BATCH):
        pixels = np.stack([read_pixels(photo.path) for photo in photos[start : start + BATCH]])
        tensor = normalise(pixels)
        logits = {name: scores(pixels if takes_pixels else tensor) for name, (scores, takes_pixels) in paths.items()}
        largest = max(largest, largest_difference(logits))
    return largest
