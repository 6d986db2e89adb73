"""Writes a trained model as a SavedModel, with unchanged names of inputs and outputs."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from .agreement import largest_difference
from .keras_file import load_keras
from .served import Call, Tensors, tensorflow_call
from .settings import SIGNATURE
from .to_onnx import RANDOM, random_layers


def _from_keras(model: keras.Model, version: Path) -> Call:
    """Exports a Keras model. Inputs and outputs are named after the first and last layers."""
    inputs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    outputs = [tensor._keras_history.operation.name for tensor in model.outputs]

    def predict(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        given = model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        return dict(zip(outputs, tf.nest.flatten(given), strict=True))

    # The archive tracks what the endpoint uses, including tables. Tracking the model too would save every weight twice.
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
    # Do not copy files that serving does not need, such as keras_metadata.pb.
    wanted = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}
    names = {entry.name for entry in source.iterdir()}
    shutil.copytree(source, version, ignore=lambda folder, _: names - wanted if Path(folder) == source else set())
    return tensorflow_call(source)


def _advice(source: Path) -> str:
    layers = random_layers(tf.saved_model.load(str(source)).signatures[SIGNATURE]) if source.is_dir() else []
    return f": {RANDOM.format(', '.join(layers))}" if layers else ""


def check_repeatable(source: Path, call: Call, samples: list[Tensors]) -> None:
    """Raises ValueError if the source answers the same input differently, as a SavedModel with random layers does.

    Keras' `model.export` keeps them. In a .keras or .h5 file `training=False` switches them off.
    """
    for inputs in samples:
        first, second = call(inputs), call(inputs)
        for output in first:
            try:
                largest_difference({"first": first[output], "second": second[output]})
            except ValueError as error:
                raise ValueError(f"{source}: answers the same input differently each time{_advice(source)}") from error


def import_source(source: Path, version: Path) -> Call:
    """Writes the SavedModel. Returns a function that calls the source itself, to compare the formats with.

    Raises ValueError with the file and its problem.
    """
    if not source.exists():
        raise ValueError(f"{source}: no such file or folder")
    if not source.is_dir():
        return _from_keras(load_keras(source), version)
    if not (source / "saved_model.pb").exists():
        raise ValueError(f"{source}: contains no saved_model.pb")
    return _from_saved_model(source, version)
