"""Gradients of an ONNX graph as further ONNX nodes, because ONNX Runtime only runs graphs forwards."""

from collections.abc import Sequence

import onnx

from .backward import Backward
from .onnx_rules import RULES


def gradient(graph: onnx.GraphProto, output: str, seed: str, inputs: Sequence[str]) -> tuple[Backward, list[str]]:
    """The nodes that compute the gradients by `inputs`, from the gradient `seed` by the output; and their names.

    The graph needs the shapes of all values (`onnx.shape_inference`). Raises ValueError, with the node, for an
    operation without a rule.
    """
    back = Backward(graph)
    reached = set(inputs)
    for node in graph.node:
        if reached & set(node.input):
            reached |= set(node.output)
    upstream: dict[str, str] = {output: seed}
    for node in reversed(graph.node):
        if node.output[0] not in upstream or node.output[0] not in reached:
            continue
        if node.op_type not in RULES:
            raise ValueError(f"{node.op_type} {node.name} has no gradient here")
        try:
            gradients = RULES[node.op_type](back, node, upstream[node.output[0]])
        except ValueError as error:
            raise ValueError(f"{node.op_type} {node.name}: {error}") from error
        for name, made in zip(node.input, gradients, strict=False):
            if made is not None and name in reached:
                upstream[name] = back.add("Add", upstream[name], made) if name in upstream else made
    missing = [name for name in inputs if name not in upstream]
    if missing:
        raise ValueError(f"the output does not depend on {', '.join(missing)}")
    return back, [upstream[name] for name in inputs]
