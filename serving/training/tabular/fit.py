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
    """How the network is fitted; the defaults are what the search found best."""

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
    """The dense layers in float64. The scaling of the input goes into the first, so that a table is served as it is."""
    first, *rest = (_layer(layer) for layer in trunk.layers)
    weights = first.weights / deviation[:, np.newaxis]
    return Layer(weights, first.bias - mean @ weights), *rest


def fit(parts: Parts, settings: FitSettings) -> tuple[Network, History]:
    """The network of the epoch with the lowest validation loss, and every epoch's losses.

    The same settings give the same network on the same machine.
    """
    keras.utils.set_random_seed(settings.seed)
    inputs, held_out = (encode(FEATURES, part.columns) for part in (parts.train, parts.validation))
    # A word that nobody has stays as it is.
    mean, deviation = inputs.mean(0), np.where(inputs.std(0) > 0, inputs.std(0), 1)
    trunk = _trunk(settings, inputs.shape[1])
    steps = settings.epochs * -(-len(inputs) // settings.batch)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    trunk.compile(
        keras.optimizers.AdamW(rate, settings.weight_decay),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    # Never stops early, as the rate falls to the end; but the weights of the best epoch are put back.
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
