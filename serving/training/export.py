"""Writes a version: a SavedModel for TF-Serving and the same graph as model.onnx, and proves that they agree."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from .fold import fold
from .model import build_served
from .served import onnx_scores, tensorflow_scores
from .settings import INPUT, OUTPUT, SIDE, SIGNATURE

OPSET = 18
# ONNX Runtime reads files up to the IR version it knows; 10 goes back to 1.19.
IR_VERSION = 10
TOLERANCE = 1e-4
SPEC = tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32, name=INPUT)


def _signature(served: keras.Model) -> tf.types.experimental.GenericFunction:
    @tf.function(input_signature=[SPEC])
    def predict(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: served(image, training=False)}

    return predict


def _save_onnx(predict: tf.types.experimental.GenericFunction, file: Path) -> None:
    proto, _ = tf2onnx.convert.from_function(predict, input_signature=[SPEC], opset=OPSET)
    made, graph = proto.graph.output[0].name, proto.graph
    for node in graph.node:
        node.input[:] = [OUTPUT if name == made else name for name in node.input]
        node.output[:] = [OUTPUT if name == made else name for name in node.output]
    graph.output[0].name = OUTPUT
    # The converter calls the open axes unk__12 or leaves them blank.
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    proto.ir_version = IR_VERSION
    onnx.checker.check_model(proto, full_check=True)
    file.write_bytes(proto.SerializeToString(deterministic=True))


def export(trunk: keras.Model, version: Path) -> None:
    """Replaces the version's folder."""
    served = build_served(fold(trunk))
    module = tf.Module()
    # Only the weights: tracking the Keras model would write every layer down a second time.
    module.weights, module.predict = [weight.value for weight in served.weights], _signature(served)
    shutil.rmtree(version, ignore_errors=True)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(version), signatures={SIGNATURE: module.predict}, options=options)
    (version / "assets").rmdir()
    _save_onnx(module.predict, version / "model.onnx")


def largest_difference(version: Path, tensors: Iterable[np.ndarray]) -> float:
    """The largest difference of a logit between the two formats; an error above the tolerance."""
    saved, converted = tensorflow_scores(version), onnx_scores(version)
    largest = max(float(np.abs(saved(tensor) - converted(tensor)).max()) for tensor in tensors)
    if not largest <= TOLERANCE:
        raise ValueError(f"{version}: SavedModel and ONNX differ by {largest}, allowed {TOLERANCE}")
    return largest
