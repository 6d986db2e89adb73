"""Batch normalisation is folded into convolutions, also in nested models, without changing scores."""

import keras
import numpy as np
import pytest
from keras import layers

from training.fold import fold


def _nested() -> keras.Model:
    """A base with Keras' batch normalisation after plain and separable convolutions, called as frozen, and a head."""
    inputs = keras.Input((None, None, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, use_bias=False)(inputs))
    x = layers.BatchNormalization()(layers.SeparableConv2D(6, 3, use_bias=False)(layers.ReLU()(x)))
    base = keras.Model(inputs, x, name="base")
    pictures = keras.Input((16, 16, 3))
    vector = layers.GlobalAveragePooling2D()(base(pictures, training=False))
    model = keras.Model(pictures, layers.Dense(3)(layers.Dense(5, activation="relu")(vector)))
    chance = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(chance.uniform(0.5, 1.5, weight.shape))
    return model


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_folding_changes_scores_only_by_the_temperature(temperature: float) -> None:
    """The original model is not changed."""
    model = _nested()
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    before = model(pictures, training=False).numpy()
    folded = fold(model, temperature)
    np.testing.assert_allclose(folded(pictures, training=False), before / temperature, rtol=1e-4)
    np.testing.assert_array_equal(model(pictures, training=False), before)
    assert np.abs(before).max() > 0.1
    assert not [w for w in folded.weights if "moving" in w.path] and [w for w in model.weights if "moving" in w.path]


def test_a_normalisation_that_cannot_be_folded_is_named() -> None:
    """It is an error, not ignored."""
    inputs = keras.Input((8, 8, 3))
    dense = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="biased")(inputs))
    with pytest.raises(ValueError, match="norm follows biased: only a convolution without bias"):
        fold(keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(dense))))
