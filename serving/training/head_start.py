"""The first head of a pretrained network: a linear classifier of its features, before anything else is trained."""

import keras
import numpy as np
import tensorflow as tf

from .data import Photos
from .efficientnet import POOLED
from .shrink import network_input

BATCH = 32
STEPS = 300
RATE = 3e-3
DECAY = 0.05


def _features(trunk: keras.Model, photos: Photos, side: int) -> tf.Tensor:
    """The pooled features [n, channels] of the photos, each seen once and whole."""
    vectors = keras.Model(trunk.input, trunk.get_layer(POOLED).output)
    run = tf.function(lambda pixels: vectors(network_input(pixels, side), training=False), reduce_retracing=True)
    starts = range(0, len(photos.labels), BATCH)
    return tf.cast(tf.concat([run(photos.pixels[start : start + BATCH]) for start in starts], 0), tf.float32)


def start_head(trunk: keras.Model, photos: Photos, side: int, weights: tf.Tensor, smoothing: float) -> None:
    """Fits the last layer to the features of the photos, from zero. `weights`: of each class in the loss.

    Otherwise the gradients of a random head would damage the pretrained weights in the first steps.
    """
    features, head = _features(trunk, photos, side), trunk.layers[-1]
    head.set_weights([np.zeros(weight.shape, np.float32) for weight in head.get_weights()])
    targets, shares = tf.one_hot(photos.labels, len(photos.classes)), tf.gather(weights, photos.labels)
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(head.trainable_variables)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            losses = keras.losses.categorical_crossentropy(
                targets, head(features), from_logits=True, label_smoothing=smoothing
            )
            loss = tf.reduce_mean(losses * shares)
        gradients = tape.gradient(loss, head.trainable_variables)
        optimizer.apply_gradients(zip(gradients, head.trainable_variables, strict=True))

    for _ in range(STEPS):
        step()
