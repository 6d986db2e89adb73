"""Converts the signatures of a SavedModel to ONNX, one file each, which share the large weights."""

import re
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx.external_data_helper import set_external_data

from .explain import EXPLAIN
from .served import onnx_file
from .settings import SIGNATURE

OPSET = 18
# ONNX Runtime reads files up to its own IR version. 10 works since ONNX Runtime 1.19.
IR_VERSION = 10
# ONNX Runtime needs shapes and other small constants inside the file.
SMALL_BYTES = 1024
# `model.export` of Keras keeps the layers of data augmentation, so that they also run when the model serves.
RANDOM = "it has random layers: {}; convert the model's .keras or .h5 file, or export the model without them"


def _order_weights(graph: onnx.GraphProto) -> None:
    """Names and sorts the weights by their first use, because the converter's names and order change in every run."""
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return  # Subgraphs use the names too.
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


def _halve_weights(graph: onnx.GraphProto) -> None:
    """Stores large weights as float16 where that changes no number, and casts them to float32 before their use.

    The converter has cast them already. ONNX Runtime casts them once, when it loads the model.
    """
    casts, names = [], {}
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or len(weight.raw_data) < SMALL_BYTES:
            continue
        numbers = onnx.numpy_helper.to_array(weight)
        half = numbers.astype(np.float16)
        if np.array_equal(half, numbers):
            name = names[weight.name] = f"{weight.name}/float32"
            casts.append(onnx.helper.make_node("Cast", [weight.name], [name], name=name, to=onnx.TensorProto.FLOAT))
            weight.CopyFrom(onnx.numpy_helper.from_array(half, weight.name))
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _keep_sizes(graph: onnx.GraphProto) -> None:
    """Makes the scales of bilinear resizing one float32 larger.

    ONNX rounds size x scale down, and a scale such as 224 / 299 may be below the fraction: one row would be missing.
    """
    scales = {node.input[2] for node in graph.node if node.op_type == "Resize" and b"linear" in _modes(node)}
    for weight in graph.initializer:
        if weight.name in scales:
            values = onnx.numpy_helper.to_array(weight)
            larger = np.where(values == 1, values, np.nextafter(values, np.float32(np.inf)))
            weight.CopyFrom(onnx.numpy_helper.from_array(larger, weight.name))


def _modes(node: onnx.NodeProto) -> list[bytes]:
    return [attribute.s for attribute in node.attribute if attribute.name == "mode"]


def _converted(signature: tf.types.experimental.ConcreteFunction) -> onnx.ModelProto:
    specs = signature.structured_input_signature[1]

    predict = tf.function(lambda inputs: signature(**inputs), input_signature=[specs])
    proto: onnx.ModelProto = tf2onnx.convert.from_function(predict, input_signature=[specs], opset=OPSET)[0]
    # The converter names variable axes unk__12, or leaves them blank.
    for value in (*proto.graph.input, *proto.graph.output):
        axes = value.type.tensor_type.shape.dim
        if axes and not axes[0].dim_value:
            axes[0].dim_param = "batch"
    _order_weights(proto.graph)
    _keep_sizes(proto.graph)
    if any(weight.dtype == tf.float16 for weight in signature.variables):
        _halve_weights(proto.graph)
    proto.ir_version = IR_VERSION
    onnx.checker.check_model(proto, full_check=True)
    return proto


def share_weights(proto: onnx.ModelProto, file: Path) -> None:
    """Stores each large weight as external data that points into `file`, if `file` contains its bytes."""
    body = file.read_bytes()
    for weight in proto.graph.initializer:
        size, offset = len(weight.raw_data), body.find(weight.raw_data)
        if size >= SMALL_BYTES and offset >= 0:
            set_external_data(weight, file.name, offset, size)
            weight.ClearField("raw_data")


def random_layers(signature: tf.types.experimental.ConcreteFunction) -> list[str]:
    """The layers of a signature with random operations, by the paths of their nodes."""
    graph = signature.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    paths = [node.name.split("/") for node in nodes if re.search("Random|Rng", node.op)]
    return sorted({next((part for part in path if "random" in part), path[0]) for path in paths})


def write_onnx(version: Path) -> None:
    """Writes model.onnx for serving_default, and SIGNATURE.onnx, with weights in model.onnx, for the others.

    `explain` is not among them: `explain_onnx.py` writes it. Raises ValueError if a signature uses an operation that
    ONNX does not have.
    """
    loaded = tf.saved_model.load(str(version))
    for name in sorted(set(loaded.signatures) - {EXPLAIN}, key=lambda name: (name != SIGNATURE, name)):
        try:
            proto = _converted(loaded.signatures[name])
        except (
            onnx.checker.ValidationError,
            onnx.shape_inference.InferenceError,
            tf.errors.OpError,
            ValueError,
        ) as error:
            layers = random_layers(loaded.signatures[name])
            point = RANDOM.format(", ".join(layers)) if layers else str(error).strip().splitlines()[0]
            raise ValueError(f"signature {name}: cannot be converted to ONNX: {point}") from error
        if name != SIGNATURE:
            share_weights(proto, onnx_file(version))
        onnx_file(version, name).write_bytes(proto.SerializeToString(deterministic=True))
