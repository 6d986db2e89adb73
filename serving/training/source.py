"""Reads a trained model, and writes it as a SavedModel with unchanged names of inputs and outputs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from .agreement import largest_difference
from .explain import EXPLAIN, explain_signature
from .keras_file import load_keras
from .model_file import SignatureSpec, read_signature
from .served import Call, Tensors, tensorflow_call
from .settings import SIGNATURE
from .to_onnx import RANDOM, random_layers


class Source(NamedTuple):
    """A trained model.

    `call`: calls the source itself, to compare the formats with. `write`: writes the SavedModel to a folder, and with
    the name of an output, the signature that explains it. `whole`: it has all the signatures that it can have.
    """

    call: Call
    signature: SignatureSpec
    write: Callable[[Path, str | None], None]
    whole: bool


def _from_keras(model: keras.Model) -> Source:
    """A Keras model. Inputs and outputs are named after the first and last layers."""
    inputs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    outputs = {
        tensor._keras_history.operation.name: tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.outputs
    }

    def predict(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        given = model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        return dict(zip(outputs, tf.nest.flatten(given), strict=True))

    def write(version: Path, explained: str | None) -> None:
        # The archive tracks what the endpoint uses, including tables. Tracking the model too would save every weight
        # twice.
        archive = keras.export.ExportArchive()
        archive.add_endpoint(SIGNATURE, predict, input_signature=inputs)
        if explained is not None:
            explain, given = explain_signature(lambda tensors: predict(*tensors)[explained], inputs, explained)
            archive.add_endpoint(EXPLAIN, explain, input_signature=given)
        archive.write_out(str(version), verbose=False)

    def call(tensors: Tensors) -> Tensors:
        outputs = predict(*(tf.constant(tensors[spec.name]) for spec in inputs))
        return {name: output.numpy() for name, output in outputs.items()}

    return Source(call, SignatureSpec({spec.name: spec for spec in inputs}, outputs), write, False)


def _from_saved_model(source: Path) -> Source:
    signatures = sorted(tf.saved_model.load(str(source)).signatures)
    if SIGNATURE not in signatures:
        raise ValueError(f"{source}: has no signature {SIGNATURE}, only {', '.join(signatures) or 'none'}")
    # Do not copy files that serving does not need, such as keras_metadata.pb.
    wanted = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}
    names = {entry.name for entry in source.iterdir()}

    def write(version: Path, _: str | None) -> None:
        shutil.copytree(source, version, ignore=lambda folder, _: names - wanted if Path(folder) == source else set())

    return Source(tensorflow_call(source), read_signature(source), write, True)


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


def open_source(source: Path) -> Source:
    """Reads a .keras file, an .h5 file or a SavedModel folder. Raises ValueError with the file and its problem."""
    if not source.exists():
        raise ValueError(f"{source}: no such file or folder")
    if not source.is_dir():
        return _from_keras(load_keras(source))
    if not (source / "saved_model.pb").exists():
        raise ValueError(f"{source}: contains no saved_model.pb")
    return _from_saved_model(source)
