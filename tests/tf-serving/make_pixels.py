"""make_pixels.py WEIGHTS FOLDER: write a SavedModel with a float and a uint8 signature. Weights: float32 [268203, 2]."""

import sys

import numpy as np
import tensorflow as tf

WEIGHTS, FOLDER = sys.argv[1:]
SHAPE = [None, 299, 299, 3]

module = tf.Module()
module.weights = tf.Variable(np.fromfile(WEIGHTS, "<f4").reshape(-1, 2))


@tf.function(input_signature=[tf.TensorSpec(SHAPE, tf.float32, name="image")])
def floats(image: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"logits": tf.reshape(image, [-1, module.weights.shape[0]]) @ module.weights}


@tf.function(input_signature=[tf.TensorSpec(SHAPE, tf.uint8, name="image")])
def pixels(image: tf.Tensor) -> dict[str, tf.Tensor]:
    return floats(tf.cast(image, tf.float32) / 127.5 - 1)


tf.saved_model.save(module, FOLDER, signatures={"serving_default": floats, "serving_uint8": pixels})
