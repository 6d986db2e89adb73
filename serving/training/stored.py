"""How a SavedModel stores its weights: as float32, or the large ones as float16 for a file half as large."""

from collections.abc import Sequence

import keras
import tensorflow as tf

# Smaller weights, such as biases, stay exact: they save nothing.
LARGE = 256


def stored_weights(served: keras.Model, kind: str) -> list[tf.Variable]:
    """One variable for each weight of the model. `kind`: see settings.STORED."""
    return [
        tf.Variable(tf.cast(weight.value, tf.float16), trainable=False)
        if kind == "float16" and tf.size(weight.value) >= LARGE
        else weight.value
        for weight in served.weights
    ]


def call_with(served: keras.Model, weights: Sequence[tf.Variable], image: tf.Tensor) -> tf.Tensor:
    """The model's output with these variables in place of its own, cast to float32."""
    values = [tf.cast(stored, weight.dtype) for weight, stored in zip(served.weights, weights, strict=True)]
    with keras.StatelessScope(state_mapping=list(zip(served.weights, values, strict=True))):
        return served(image, training=False)
