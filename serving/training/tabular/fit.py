"""Fits a network to customers, with Keras."""

from dataclasses import dataclass

import keras
import numpy as np

from .customers import FEATURES, Parts
from .network import Doubles, Layer, Network, encode

ANSWER = "churn"
History = list[dict[str, float]]


@dataclass(frozen=True)
class FitSettings:
    """How the network is trained. The defaults are the best settings that the search found."""

    units: int = 24
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3
    batch: int = 256
    epochs: int = 12
    seed: int = 1


def _trunk(settings: FitSettings, width: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((width,)),
            keras.layers.Dense(settings.units, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


def _layer(layer: keras.layers.Layer) -> Layer:
    weights, bias = layer.get_weights()
    return Layer(weights.astype(np.float64), bias.astype(np.float64))


def _layers(trunk: keras.Model, mean: Doubles, deviation: Doubles) -> tuple[Layer, ...]:
    """The dense layers in float64. Input scaling is folded into the first one, so that the model takes raw values."""
    first, *rest = (_layer(layer) for layer in trunk.layers)
    weights = first.weights / deviation[:, np.newaxis]
    return Layer(weights, first.bias - mean @ weights), *rest


def fit(parts: Parts, settings: FitSettings) -> tuple[Network, History]:
    """Returns the network of the epoch with the lowest validation loss, and the losses of all epochs.

    The result is reproducible on the same machine.
    """
    keras.utils.set_random_seed(settings.seed)
    inputs, held_out = (encode(FEATURES, part.columns) for part in (parts.train, parts.validation))
    # Do not scale constant columns.
    mean, deviation = inputs.mean(0), np.where(inputs.std(0) > 0, inputs.std(0), 1)
    trunk = _trunk(settings, inputs.shape[1])
    steps = settings.epochs * -(-len(inputs) // settings.batch)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    trunk.compile(
        keras.optimizers.AdamW(rate, settings.weight_decay),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    # Never stops early, because the learning rate decays until the end. Restores the weights of the best epoch.
    best = keras.callbacks.EarlyStopping("val_loss", patience=settings.epochs, restore_best_weights=True)
    seen = trunk.fit(
        (inputs - mean) / deviation,
        parts.train.left.astype(np.float32),
        validation_data=((held_out - mean) / deviation, parts.validation.left.astype(np.float32)),
        batch_size=settings.batch,
        epochs=settings.epochs,
        callbacks=[best],
        verbose=0,
    ).history
    losses = zip(seen["loss"], seen["val_loss"], strict=True)
    history = [
        {"epoch": epoch, "loss": loss, "validation_loss": held_out_loss}
        for epoch, (loss, held_out_loss) in enumerate(losses, 1)
    ]
    return Network(ANSWER, FEATURES, _layers(trunk, mean, deviation)), history
