"""Runs signatures of an exported version: the SavedModel with TensorFlow, the .onnx files with ONNX Runtime."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnxruntime
import tensorflow as tf

from .settings import INPUT, OUTPUT, SIGNATURE

Array = npt.NDArray[Any]
Tensors = dict[str, Array]
Call = Callable[[Tensors], Tensors]
Scores = Callable[[Array], Array]


def onnx_file(version: Path, signature: str = SIGNATURE) -> Path:
    """The ONNX file of a signature: model.onnx for serving_default, otherwise SIGNATURE.onnx."""
    return version / ("model.onnx" if signature == SIGNATURE else f"{signature}.onnx")


def tensorflow_call(version: Path, signature: str = SIGNATURE) -> Call:
    """A function that calls a signature of the SavedModel, like TF-Serving."""
    loaded = tf.saved_model.load(str(version))
    function = loaded.signatures[signature]

    def call(inputs: Tensors, keep: object = loaded) -> Tensors:
        # The loaded object owns the variables, so it must not be collected before the signature.
        outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: output.numpy() for name, output in outputs.items()}

    return call


def onnx_call(version: Path, signature: str = SIGNATURE, threads: int = 0) -> Call:
    """A function that calls a signature's .onnx file. With 0 threads, ONNX Runtime chooses the number."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    file = str(onnx_file(version, signature))
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def tensorflow_scores(version: Path, signature: str = SIGNATURE) -> Scores:
    """A function from image to logits, with the SavedModel."""
    call = tensorflow_call(version, signature)
    return lambda tensor: call({INPUT: tensor})[OUTPUT]


def onnx_scores(version: Path, threads: int = 0, signature: str = SIGNATURE) -> Scores:
    """A function from image to logits, with the .onnx file."""
    call = onnx_call(version, signature, threads)
    return lambda tensor: call({INPUT: tensor})[OUTPUT]
