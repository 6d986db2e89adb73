"""Runs what was exported, by signature: the SavedModel by TensorFlow, the .onnx files by ONNX Runtime."""

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
    """Where a version keeps a signature's ONNX graph: one file for each, model.onnx for serving_default."""
    return version / ("model.onnx" if signature == SIGNATURE else f"{signature}.onnx")


def tensorflow_call(version: Path, signature: str = SIGNATURE) -> Call:
    """A signature of a version's SavedModel, as TF-Serving calls it."""
    loaded = tf.saved_model.load(str(version))
    function = loaded.signatures[signature]

    def call(inputs: Tensors, keep: object = loaded) -> Tensors:
        # The loaded object owns the variables and has to outlive the signature.
        outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: output.numpy() for name, output in outputs.items()}

    return call


def onnx_call(version: Path, signature: str = SIGNATURE, threads: int = 0) -> Call:
    """A signature's .onnx file; 0 threads lets the runtime choose."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    file = str(onnx_file(version, signature))
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def tensorflow_scores(version: Path, signature: str = SIGNATURE) -> Scores:
    """From image to logits, by the SavedModel."""
    call = tensorflow_call(version, signature)
    return lambda tensor: call({INPUT: tensor})[OUTPUT]


def onnx_scores(version: Path, threads: int = 0, signature: str = SIGNATURE) -> Scores:
    """From image to logits, by the .onnx file."""
    call = onnx_call(version, signature, threads)
    return lambda tensor: call({INPUT: tensor})[OUTPUT]
