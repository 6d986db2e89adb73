"""How pixels become the network's input in training: the same as in the served graph."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def to_float(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 pixels to float32 in -1..1."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1


def network_input(pixels: tf.Tensor, side: int) -> tf.Tensor:
    """uint8 pixels [n, s, s, 3] to float32 [n, side, side, 3], resized like in the served graph if s differs."""
    scaled = to_float(pixels)
    return scaled if scaled.shape[1] == side else tf.image.resize(scaled, (side, side))


def linear_weights(before: int, after: int) -> npt.NDArray[np.float32]:
    """Bilinear resizing of a line as a matrix [after, before]: the two nearest numbers, by distance of centres."""
    places = np.clip((np.arange(after) + 0.5) * before / after - 0.5, 0, before - 1)
    low = np.floor(places).astype(int)
    weights = np.zeros((after, before))
    weights[np.arange(after), low] += 1 - (places - low)
    weights[np.arange(after), np.minimum(low + 1, before - 1)] += places - low
    return weights.astype(np.float32)
