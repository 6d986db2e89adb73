"""Saves a model in Keras 2's format, with the same weights and a converted config. Does not need Keras 2.

The format was taken from files of tf_keras 2.19.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import keras

Config = dict[str, Any]
# Config fields that Keras 3 added.
ADDED = ("optional", "synchronized", "renorm", "renorm_clipping", "renorm_momentum", "quantization_config")
ZEROS: Config = {
    "module": "keras.initializers",
    "class_name": "Zeros",
    "config": {},
    "registered_name": None,
}
INHERITED = {"groups": 1, "kernel_initializer": ZEROS, "kernel_regularizer": None, "kernel_constraint": None}


def _call(node: Config, models: set[str]) -> list[list[Any]]:
    """[name, call, output, options] of each tensor. Calls of a nested model are numbered from one."""
    options = {key: value for key, value in node["kwargs"].items() if value is not None}
    (given,) = node["args"]
    histories = [tensor["config"]["keras_history"] for tensor in (given if isinstance(given, list) else [given])]
    return [[name, call + (name in models), output, options] for name, call, output in histories]


def _in_keras_2(layer: Config) -> Config:
    config = {key: value for key, value in layer["config"].items() if key not in ADDED}
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = config["dtype"]["config"]["name"]
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    if layer["class_name"] == "BatchNormalization":
        config["axis"] = [3]
    if layer["class_name"] == "SeparableConv2D":
        config |= INHERITED
    if "layers" in config:
        models = {inner["name"] for inner in config["layers"] if "layers" in inner["config"]}
        config["layers"] = [
            _in_keras_2(inner) | {"inbound_nodes": [_call(node, models) for node in inner["inbound_nodes"]]}
            for inner in config["layers"]
        ]
        config |= {ends: [config[ends]] for ends in ("input_layers", "output_layers")}
    return {**layer, "config": config}


def save_as_keras_2(model: keras.Model, path: Path) -> None:
    """Saves a whole model with one input and one output as .h5."""
    model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "2.9.0"
        file.attrs["model_config"] = json.dumps(_in_keras_2(json.loads(file.attrs["model_config"])))
