"""Brings a trained model of any make into a version's SavedModel, names of inputs and outputs as they are."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from .keras_file import load_keras
from .served import Call, Tensors, tensorflow_call
from .settings import SIGNATURE


def _from_keras(model: keras.Model, version: Path) -> Call:
    """The names are those of the first and last layers."""
    inputs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    outputs = [tensor._keras_history.operation.name for tensor in model.outputs]

    def predict(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        given = model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        return dict(zip(outputs, tf.nest.flatten(given), strict=True))

    # Keeps what the endpoint uses, tables included; tracking the model as well would write every weight twice.
    archive = keras.export.ExportArchive()
    archive.add_endpoint(SIGNATURE, predict, input_signature=inputs)
    archive.write_out(str(version), verbose=False)

    def call(tensors: Tensors) -> Tensors:
        outputs = predict(*(tf.constant(tensors[spec.name]) for spec in inputs))
        return {name: output.numpy() for name, output in outputs.items()}

    return call


def _from_saved_model(source: Path, version: Path) -> Call:
    signatures = sorted(tf.saved_model.load(str(source)).signatures)
    if SIGNATURE not in signatures:
        raise ValueError(f"{source}: has no signature {SIGNATURE}, only {', '.join(signatures) or 'none'}")
    # What serving does not need, such as keras_metadata.pb, stays behind.
    wanted = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}
    names = {entry.name for entry in source.iterdir()}
    shutil.copytree(source, version, ignore=lambda folder, _: names - wanted if Path(folder) == source else set())
    return tensorflow_call(source)


def take_source(source: Path, version: Path) -> Call:
    """Writes the SavedModel; returns the source's own way from inputs to outputs, for the formats to be compared with.

    ValueError names the file and what is wrong with it.
    """
    if not source.exists():
        raise ValueError(f"{source}: no such file or folder")
    if not source.is_dir():
        return _from_keras(load_keras(source), version)
    if not (source / "saved_model.pb").exists():
        raise ValueError(f"{source}: holds no saved_model.pb")
    return _from_saved_model(source, version)
