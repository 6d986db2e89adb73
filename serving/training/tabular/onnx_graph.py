"""Writes a network as an ONNX graph, operator by operator, because tf2onnx cannot convert string comparisons."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..to_onnx import IR_VERSION
from .network import Feature, Network

# The first opset in which Equal supports strings.
OPSET = 19
DTYPES = {"string": TensorProto.STRING, "int64": TensorProto.INT64, "float32": TensorProto.FLOAT}


class _Graph:
    """Collects nodes and constants. Values are referenced by name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: Any) -> str:
        array: NDArray[Any] = np.asarray(values)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.astype(object) if array.dtype.kind == "U" else array, name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name


def _encode(graph: _Graph, feature: Feature) -> str:
    column = graph.add("Unsqueeze", feature.name, graph.constant(np.array([1])))
    encoded = graph.add("Equal", column, graph.constant([feature.words])) if feature.words else column
    return graph.add("Cast", encoded, to=TensorProto.DOUBLE)


def _nodes(network: Network) -> _Graph:
    graph = _Graph()
    values = graph.add("Concat", *(_encode(graph, feature) for feature in network.features), axis=1)
    for place, layer in enumerate(network.layers):
        values = graph.add("Relu", values) if place else values
        values = graph.add("MatMul", values, graph.constant(layer.weights))
        values = graph.add("Add", values, graph.constant(layer.bias))
    if network.threshold is None:
        graph.add("Cast", values, output=network.answer, to=TensorProto.FLOAT)
        return graph
    probabilities = graph.add("Squeeze", graph.add("Sigmoid", values), graph.constant(np.array([1])))
    graph.add("Cast", probabilities, output=f"{network.answer}_probability", to=TensorProto.FLOAT)
    graph.add("GreaterOrEqual", probabilities, graph.constant(np.float64(network.threshold)), output=network.answer)
    return graph


def _outputs(network: Network) -> list[onnx.ValueInfoProto]:
    if network.threshold is None:
        return [helper.make_tensor_value_info(network.answer, TensorProto.FLOAT, ["batch", 1])]
    return [
        helper.make_tensor_value_info(f"{network.answer}_probability", TensorProto.FLOAT, ["batch"]),
        helper.make_tensor_value_info(network.answer, TensorProto.BOOL, ["batch"]),
    ]


def save_onnx(network: Network, file: Path) -> None:
    """Writes an ONNX file with the signature, names and arithmetic (float64) of the SavedModel."""
    graph = _nodes(network)
    inputs = [
        helper.make_tensor_value_info(feature.name, DTYPES[feature.dtype], ["batch"]) for feature in network.features
    ]
    made = helper.make_graph(graph.nodes, network.answer, inputs, _outputs(network), graph.constants)
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(proto, full_check=True)
    file.write_bytes(proto.SerializeToString(deterministic=True))
