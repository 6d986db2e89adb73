"""xception: the full network with the original course's head, initialised with pretrained weights."""

from pathlib import Path

import h5py
import keras
from keras import layers

from .settings import OUTPUT

BASE = "xception"
INNER = 100


def build_xception(classes: int, dropout: float) -> keras.Model:
    """The network with 21 million parameters: float [n, side, side, 3] to logits.

    Batch normalisation in the base is never trained and keeps its averages, also during fine-tuning: statistics of a
    few thousand photos are worse than those of the million it was pretrained on.
    """
    inputs = keras.Input((None, None, 3), name="pooled")
    base = keras.applications.Xception(weights=None, include_top=False, name=BASE)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    vector = layers.GlobalAveragePooling2D()(base(inputs))
    inner = layers.Dropout(dropout)(layers.Dense(INNER, activation="relu")(vector))
    return keras.Model(inputs, layers.Dense(classes, name=OUTPUT, dtype="float32")(inner), name="trunk")


def head_variables(trunk: keras.Model) -> list[keras.Variable]:
    """The variables that are trained while the base is frozen."""
    return [variable for layer in trunk.layers if layer.name != BASE for variable in layer.trainable_variables]


def _imagenet() -> keras.Model:
    try:
        return keras.applications.Xception(weights="imagenet", include_top=False)
    except Exception as error:  # Keras raises a plain Exception for a failed download.
        raise ValueError(
            f"--weights imagenet: download failed ({error}); use a local file instead: --weights FILE.h5"
        ) from error


def _is_whole_model(file: Path) -> bool:
    if file.suffix == ".keras":
        return True
    with h5py.File(file) as contents:
        return "model_config" in contents.attrs


def _load_from_model(trunk: keras.Model, file: Path) -> None:
    """Loads from a saved model: all weights if the shapes match, otherwise those of the base that it is or contains."""
    source = keras.models.load_model(file, compile=False)
    inner = [layer for layer in source.layers if isinstance(layer, keras.Model)]
    for given in (source, *inner):
        for target in (trunk, trunk.get_layer(BASE)):
            if [weight.shape for weight in given.weights] == [weight.shape for weight in target.weights]:
                target.set_weights(given.get_weights())
                return
    raise ValueError(f"{file}: contains no Xception of keras.applications")


def load_xception(trunk: keras.Model, weights: str) -> None:
    """Loads weights: "imagenet", a run's .weights.h5, a whole .keras or .h5 model, or the base's weights (.h5)."""
    base, file = trunk.get_layer(BASE), Path(weights)
    if weights == "imagenet":
        base.set_weights(_imagenet().get_weights())
    elif weights.endswith(".weights.h5"):
        trunk.load_weights(file)
    elif _is_whole_model(file):
        _load_from_model(trunk, file)
    else:
        base.load_weights(file)
