"""Runs what was exported: the SavedModel by TensorFlow, model.onnx by ONNX Runtime."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import tensorflow as tf

from .settings import INPUT, OUTPUT, SIGNATURE

Scores = Callable[[np.ndarray], np.ndarray]


def tensorflow_scores(version: Path) -> Scores:
    """The signature of a version's SavedModel, as TF-Serving calls it."""
    loaded = tf.saved_model.load(str(version))
    signature = loaded.signatures[SIGNATURE]

    def scores(tensor: np.ndarray, keep: object = loaded) -> np.ndarray:
        # The loaded object owns the variables and has to outlive the signature.
        return signature(**{INPUT: tf.constant(tensor)})[OUTPUT].numpy()

    return scores


def onnx_scores(version: Path, threads: int = 0) -> Scores:
    """A version's model.onnx; 0 threads lets the runtime choose."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(version / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return lambda tensor: session.run([OUTPUT], {INPUT: tensor})[0]
