"""How pixels become the network's input in training: the same as in the served graph."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def to_float(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 pixels to float32 in -1..1."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1


def network_input(pixels: tf.Tensor, side: int) -> tf.Tensor:
    """uint8 pixels [n, s, s, 3] to float32 [n, side, side, 3], resized like in the served graph if s differs."""
    scaled = to_float(pixels)
    return scaled if scaled.shape[1] == side else linear_resize(scaled, side)


def linear_resize(image: Any, side: int) -> Any:
    """Bilinear resizing [n, s, s, c] to [n, side, side, c].

    With constant weights: TensorFlow and ONNX Runtime compute those of their own operations by formulas that round
    differently, which moves the logits of a sharp photo by up to 1.5e-4.
    """
    for axis in (1, 2):
        low, high, share = _neighbours(image.shape[axis], side)
        weight = share.astype(np.float32).reshape(-1, *(1,) * (3 - axis))
        image = keras.ops.take(image, low, axis) * (1 - weight) + keras.ops.take(image, high, axis) * weight
    return image


def _neighbours(before: int, after: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """For each place of a line after resizing: the two nearest places before, and the second one's share."""
    places = np.clip((np.arange(after) + 0.5) * before / after - 0.5, 0, before - 1)
    low = np.floor(places).astype(np.intp)
    return low, np.minimum(low + 1, before - 1), places - low


def linear_weights(before: int, after: int) -> npt.NDArray[np.float32]:
    """Bilinear resizing of a line as a matrix [after, before]: the two nearest numbers, by distance of centres."""
    low, high, share = _neighbours(before, after)
    weights = np.zeros((after, before))
    weights[np.arange(after), low] += 1 - share
    weights[np.arange(after), high] += share
    return weights.astype(np.float32)
