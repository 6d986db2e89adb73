"""What the numbers of a model's output mean, read from the last operations of its ONNX graph and from its loss."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx

# The words of model.yaml's `scores`. docs/model-yaml.md has the table.
SCORES = ("logits", "sigmoid-logits", "probabilities", "values")
# Operations that keep the numbers as they are.
KEEPING = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Concat")
# What the last operation makes of the numbers. The softmax of log-softmax is the softmax again, so these are logits.
BY_ACTIVATION = {
    "Softmax": "probabilities",
    "Sigmoid": "probabilities",
    "HardSigmoid": "probabilities",
    "LogSoftmax": "logits",
}
# Layers without an activation, and pooling of such layers.
LINEAR = (
    "Gemm", "MatMul", "Conv", "BatchNormalization", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "ReduceMean",
    "GlobalAveragePool", "AveragePool",
)  # fmt: skip
# Losses by Keras' names, without underscores and in lower case: logits of independent classes, and no classes at all.
INDEPENDENT = ("binarycrossentropy", "binaryfocalcrossentropy")
REGRESSION = (
    "meansquarederror", "mse", "meanabsoluteerror", "mae", "meanabsolutepercentageerror", "mape", "huber", "logcosh",
    "meansquaredlogarithmicerror", "msle", "poisson", "cosinesimilarity",
)  # fmt: skip


class Meaning(NamedTuple):
    """A word of model.yaml's `scores`, and why it is this one."""

    scores: str
    reason: str


def _producers(graph: onnx.GraphProto, name: str) -> Iterator[str]:
    """The operations that made a tensor, before those that only keep its numbers. Nothing for an input or a weight."""
    node = next((node for node in graph.node if name in node.output), None)
    if node is None:
        return
    if node.op_type not in KEEPING:
        yield node.op_type
        return
    # Only the first input of Reshape and Unsqueeze has numbers; the others are shapes and axes.
    for source in node.input if node.op_type == "Concat" else node.input[:1]:
        yield from _producers(graph, source)


def last_operations(onnx_file: Path, output: str) -> set[str]:
    """The operations that make an output's numbers: one, or several for concatenated heads."""
    graph = onnx.load(str(onnx_file), load_external_data=False).graph
    return set(_producers(graph, output))


def _of_linear(loss: str | None, width: int) -> Meaning:
    """Logits, unless the loss that the model was compiled with says something else."""
    name = (loss or "").replace("_", "").lower()
    if name in REGRESSION:
        return Meaning("values", f"the last layer has no activation, and the loss is {loss}")
    if name in INDEPENDENT and width > 1:
        return Meaning("sigmoid-logits", f"the last layer has no activation, and the loss is {loss}")
    return Meaning("logits", "the last layer has no activation")


def meaning_of(operations: set[str], rows: npt.NDArray[Any], loss: str | None = None) -> Meaning:
    """What an output means, by the operations that make it and by some of its rows [n, width].

    Raises ValueError for a softmax over one number, which is always 1.
    """
    if "Softmax" in operations and rows.shape[1] == 1:
        raise ValueError("the last layer is a softmax over one number, which is always 1: train with a sigmoid")
    known = {BY_ACTIVATION.get(operation) for operation in operations}
    if len(known) == 1 and None not in known:
        return Meaning(str(known.pop()), f"the last layer is a {' and '.join(sorted(operations)).lower()}")
    # A softmax of single operations, or the mean of several.
    if rows.shape[1] > 1 and (rows >= 0).all() and np.allclose(rows.sum(1), 1, atol=1e-3):
        return Meaning("probabilities", "its numbers are positive and add up to one")
    if operations <= set(LINEAR):
        return _of_linear(loss, rows.shape[1])
    return Meaning("values", f"the last layer is a {' and '.join(sorted(operations)).lower()}")
