"""Folds each batch normalisation into the preceding convolution, and the temperature into the last layer."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D)
Weights = list[npt.NDArray[Any]]


def _convolution(norm: layers.BatchNormalization) -> layers.Layer:
    """The layer before the normalisation."""
    return norm.input._keras_history.operation


def _folded(norm: layers.BatchNormalization) -> Weights:
    """The convolution's weights with scale and shift of the normalisation folded in."""
    convolution = _convolution(norm)
    if type(convolution) not in CONVOLUTIONS or convolution.use_bias:
        raise ValueError(f"{norm.name} follows {convolution.name}: only a convolution without bias can be folded")
    gamma, beta, mean, variance = (value.astype(np.float64) for value in norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    # A separable convolution also has a depthwise kernel, which does not change.
    *depthwise, kernel = convolution.get_weights()
    return [*depthwise, kernel * scale, beta - mean * scale]


def _call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
    """Calls a layer; skips batch normalisation."""
    return inputs[0] if isinstance(layer, layers.BatchNormalization) else layer(*inputs, **options)


def _copy(model: keras.Model, folded: dict[str, Weights]) -> keras.Model:
    """Clones the model without batch normalisation. Folded convolutions get a bias."""

    def copied(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, keras.Model):
            return _without_norms(layer)
        return type(layer).from_config(layer.get_config() | ({"use_bias": True} if layer.name in folded else {}))

    return keras.models.clone_model(model, clone_function=copied, call_function=_call)


def _without_norms(model: keras.Model) -> keras.Model:
    """A copy with folded weights, nested models included."""
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    folded = {_convolution(norm).name: _folded(norm) for norm in norms}
    copy = _copy(model, folded)
    for layer in model.layers:
        if layer.weights and layer not in norms and not isinstance(layer, keras.Model):
            copy.get_layer(layer.name).set_weights(folded.get(layer.name) or layer.get_weights())
    return copy


def fold(trunk: keras.Model, temperature: float = 1.0) -> keras.Model:
    """A copy without batch normalisation and with equal outputs, divided by the temperature. It has fewer nodes."""
    copy = _without_norms(trunk)
    last = copy.layers[-1]
    last.set_weights([weight / temperature for weight in last.get_weights()])
    return copy
