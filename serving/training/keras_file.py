"""Loads a Keras model: .keras, .h5 of Keras 3, or .h5 of Keras 2, which Keras 3 cannot always read directly."""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

MODELS = ("Functional", "Model", "Sequential")
# For these layers Keras 2 saved options that they inherit from a convolution but do not use. Keras 3 rejects them.
NOT_USED = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
DROPPED = {"SeparableConv1D": NOT_USED, "SeparableConv2D": NOT_USED, "DepthwiseConv2D": NOT_USED}
# Random layers of Keras 2 that Keras 3 does not have. They change pictures only in training.
ONLY_IN_TRAINING = ("RandomHeight", "RandomWidth")
SUFFIXES = (".keras", ".h5", ".hdf5")
MAX_ERROR = 300
Config = dict[str, Any]


def _lower_nodes(tensors: list[list[Any]], counted_from_one: set[str]) -> None:
    for tensor in tensors:
        if tensor[0] in counted_from_one:
            tensor[1] = max(0, tensor[1] - 1)


def _translate(layer: Config) -> None:
    """Converts a Keras 2 config to Keras 3 in place, including nested models."""
    config = layer["config"]
    if layer["class_name"] != "InputLayer":
        # Keras 2 repeats the shape of the InputLayer in the first layer after it. Keras 3 rejects it in some layers.
        config.pop("batch_input_shape", None)
    if layer["class_name"] in ONLY_IN_TRAINING:
        layer |= {"class_name": "Activation", "config": {"name": config["name"], "activation": "linear"}}
        return
    for key in DROPPED.get(layer["class_name"], ()):
        config.pop(key, None)
    if layer["class_name"] not in MODELS:
        return
    kinds = {inner["config"].get("name"): inner["class_name"] for inner in config["layers"]}
    # Keras 2 numbers the calls of a nested model from one, because building it counts as a call; Keras 3 from zero.
    inside = {name for name, kind in kinds.items() if kind in MODELS}
    for inner in config["layers"]:
        _translate(inner)
        for call in inner.get("inbound_nodes", ()):
            _lower_nodes(call, inside)
    # For outputs Keras 3 does this itself, except for those of a Sequential.
    outputs = config.get("output_layers", [])
    _lower_nodes(outputs, {name for name, kind in kinds.items() if kind == "Sequential"})


def _load_keras_2(path: Path) -> keras.Model:
    """Loads a copy with a converted config. Weights are read by order, which is the same in both versions."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copyfile(path, Path(folder) / "model.h5")
        with h5py.File(copy, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            _translate(config)
            file.attrs["model_config"] = json.dumps(config)
        return keras.saving.load_model(copy, compile=False)


def _load(path: Path) -> keras.Model:
    if path.suffix != ".keras":
        with h5py.File(path) as file:
            if "model_config" not in file.attrs:
                raise ValueError("it contains only weights; save the whole model: model.save(...)")
            keras_2 = not str(file.attrs.get("keras_version", "")).startswith("3")
        if keras_2:
            return _load_keras_2(path)
    return keras.saving.load_model(path, compile=False)


def _compiled(path: Path) -> Config:
    """The arguments of `compile` that a file holds. Empty for a model that was not compiled."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json")).get("compile_config") or {}
    with h5py.File(path) as file:
        return json.loads(file.attrs.get("training_config", "{}"))


def loss_of(path: Path) -> str | None:
    """The name of the loss that the model was compiled with. None if there is none, or one for each output."""
    if path.suffix not in SUFFIXES:
        return None
    loss = _compiled(path).get("loss")
    if isinstance(loss, dict):
        loss = loss.get("class_name")
    return loss if isinstance(loss, str) else None


def load_keras(path: Path) -> keras.Model:
    """Loads the model without compiling it. Raises ValueError, one line, with the file and Keras' error."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: must be {', '.join(SUFFIXES)} or a SavedModel folder")
    try:
        return _load(path)
    except (OSError, TypeError, KeyError, ValueError) as error:
        # Keras prints the whole config of a layer before the actual error.
        point = (str(error).strip() or repr(error)).splitlines()[-1][:MAX_ERROR]
        raise ValueError(f"{path}: Keras {keras.__version__} cannot read it: {point}") from error
