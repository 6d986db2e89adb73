"""Converts the signatures of a SavedModel to ONNX, one file each, with the large weights written once."""

from pathlib import Path

import onnx
import tensorflow as tf
import tf2onnx
from onnx.external_data_helper import set_external_data

from .served import onnx_file
from .settings import SIGNATURE

OPSET = 18
# ONNX Runtime reads files up to the IR version it knows; 10 goes back to 1.19.
IR_VERSION = 10
# ONNX Runtime wants shapes and other small constants inside the file.
SMALL_BYTES = 1024


def _order_weights(graph: onnx.GraphProto) -> None:
    """Names and sorts the weights by their first use: the converter does it by hashes that change from run to run."""
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return  # Graphs inside use the names too.
    weights = {weight.name for weight in graph.initializer}
    names: dict[str, str] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in weights:
                names.setdefault(name, f"{node.name}/{place}")
        node.input[:] = [names.get(name, name) for name in node.input]
    for weight in graph.initializer:
        weight.name = names.get(weight.name, weight.name)
    graph.initializer.sort(key=lambda weight: weight.name)


def _converted(signature: tf.types.experimental.ConcreteFunction) -> onnx.ModelProto:
    specs = signature.structured_input_signature[1]

    predict = tf.function(lambda inputs: signature(**inputs), input_signature=[specs])
    proto: onnx.ModelProto = tf2onnx.convert.from_function(predict, input_signature=[specs], opset=OPSET)[0]
    # The converter calls the open axes unk__12 or leaves them blank.
    for value in (*proto.graph.input, *proto.graph.output):
        axes = value.type.tensor_type.shape.dim
        if axes and not axes[0].dim_value:
            axes[0].dim_param = "batch"
    _order_weights(proto.graph)
    proto.ir_version = IR_VERSION
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _share_weights(proto: onnx.ModelProto, file: Path) -> None:
    """Points each large weight at its bytes inside `file`; a weight that is not there stays in the graph."""
    body = file.read_bytes()
    for weight in proto.graph.initializer:
        size, offset = len(weight.raw_data), body.find(weight.raw_data)
        if size >= SMALL_BYTES and offset >= 0:
            set_external_data(weight, file.name, offset, size)
            weight.ClearField("raw_data")


def write_onnx(version: Path) -> None:
    """model.onnx from serving_default, whole in itself; SIGNATURE.onnx from any other, its weights in model.onnx.

    ValueError where a signature uses what ONNX does not have.
    """
    loaded = tf.saved_model.load(str(version))
    for name in sorted(loaded.signatures, key=lambda name: (name != SIGNATURE, name)):
        try:
            proto = _converted(loaded.signatures[name])
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            point = str(error).strip().splitlines()[0]
            raise ValueError(f"signature {name}: ONNX has no such graph: {point}") from error
        if name != SIGNATURE:
            _share_weights(proto, onnx_file(version))
        onnx_file(version, name).write_bytes(proto.SerializeToString(deterministic=True))
