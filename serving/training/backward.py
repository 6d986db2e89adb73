"""The nodes that are added to an ONNX graph to compute its gradients."""

import itertools
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Backward:
    """The nodes and constants that are added, and what is known of the graph: shapes, and values that are constant."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._numbers = itertools.count()
        self._weights = {weight.name: weight for weight in graph.initializer}
        # Weights that are stored in half of the bytes are cast before their use.
        casts = (node for node in graph.node if node.op_type == "Cast" and node.input[0] in self._weights)
        self._cast = {node.output[0]: node.input[0] for node in casts}
        values = (*graph.input, *graph.value_info, *graph.output)
        self._shapes = {
            value.name: [axis.dim_value or None for axis in value.type.tensor_type.shape.dim] for value in values
        }

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node and returns the name of its output."""
        name = f"gradient_{next(self._numbers)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Adds a constant and returns its name."""
        name = f"gradient_{next(self._numbers)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def shape(self, name: str) -> list[int | None]:
        """The sizes of a tensor; None for an axis of any size."""
        weight = self._weights.get(self._cast.get(name, name))
        return list(weight.dims) if weight is not None else self._shapes[name]

    def sizes(self, name: str, first: int) -> list[int]:
        """The sizes of the axes from `first`. Raises ValueError if one is not known."""
        sizes = self.shape(name)[first:]
        if None in sizes:
            raise ValueError(f"{name} has axes of any size")
        return [int(size) for size in sizes if size is not None]

    def value(self, name: str) -> Any:
        """The numbers of a weight. Raises ValueError for a tensor that is computed."""
        if not self.is_constant(name):
            raise ValueError(f"{name} is computed")
        if name in self._cast:
            return self.value(self._cast[name]).astype(np.float32)
        return numpy_helper.to_array(self._weights[name])

    def is_constant(self, name: str) -> bool:
        """Whether it is a weight, cast or not."""
        return name in self._weights or name in self._cast
