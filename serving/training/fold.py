"""Folds each batch normalisation into the convolution before it: fewer nodes, the same numbers, in every format."""

import keras
import numpy as np
from keras import layers

from .model import FusedNorm


def _without_norm(layer: layers.Layer) -> layers.Layer:
    """The same layer; a norm becomes nothing, and a convolution gets the bias that takes its place."""
    config = layer.get_config()
    if isinstance(layer, FusedNorm):
        # Adds no node when served and, unlike Identity, may be called with a norm's arguments.
        return layers.Dropout(0, name=layer.name)
    if type(layer) is layers.Conv2D:
        config["use_bias"] = True
    return type(layer).from_config(config)


def fold(trunk: keras.Model) -> keras.Model:
    """A trunk without norms. Every Conv2D of ours is followed by one; depthwise and dense layers are copied."""
    folded = keras.models.clone_model(trunk, clone_function=_without_norm)
    for layer in trunk.layers:
        if isinstance(layer, FusedNorm):
            convolution = layer.input._keras_history.operation
            gamma, beta, mean, variance = (value.astype(np.float64) for value in layer.get_weights())
            scale = gamma / np.sqrt(variance + layer.epsilon)
            weights = [convolution.get_weights()[0] * scale, beta - mean * scale]
            folded.get_layer(convolution.name).set_weights(weights)
        elif type(layer) is not layers.Conv2D:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded
