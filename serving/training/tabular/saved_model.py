"""Writes a network as a SavedModel, with the encoding of categories inside the graph."""

import shutil
from pathlib import Path

import tensorflow as tf

from ..settings import SIGNATURE
from .network import Feature, Network

DTYPES = {"string": tf.string, "int64": tf.int64, "float32": tf.float32}


def _encode(feature: Feature, column: tf.Tensor) -> tf.Tensor:
    column = column[:, tf.newaxis]
    encoded = tf.equal(column, tf.constant(feature.words, column.dtype)) if feature.words else column
    return tf.cast(encoded, tf.float64)


def save_model(network: Network, version: Path) -> None:
    """Replaces the version's folder. Every feature is an input [n] with its name.

    The graph computes in float64, so that the float32 output loses no precision in the sum.
    """

    def predict(**columns: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.concat([_encode(feature, columns[feature.name]) for feature in network.features], axis=1)
        for layer in network.layers[:-1]:
            values = tf.nn.relu(values @ layer.weights + layer.bias)
        values = values @ network.layers[-1].weights + network.layers[-1].bias
        if network.threshold is None:
            return {network.answer: tf.cast(values, tf.float32)}
        probabilities = tf.sigmoid(values)[:, 0]
        return {
            f"{network.answer}_probability": tf.cast(probabilities, tf.float32),
            network.answer: probabilities >= network.threshold,
        }

    specs = {
        feature.name: tf.TensorSpec([None], DTYPES[feature.dtype], name=feature.name) for feature in network.features
    }
    signature = tf.function(predict).get_concrete_function(**specs)
    shutil.rmtree(version, ignore_errors=True)
    tf.saved_model.save(tf.Module(), str(version), signatures={SIGNATURE: signature})
    (version / "assets").rmdir()
