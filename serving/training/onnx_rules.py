"""The gradient of each ONNX operation, as ONNX nodes.

A rule takes the gradient by its node's output, and gives those by the node's inputs: None for a weight. It raises
ValueError where it does not know the gradient.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto as Node
from onnx import helper

from .backward import Backward
from .shrink import linear_weights

Rule = Callable[[Backward, Node, str], Sequence[str | None]]


def _attributes(node: Node) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _same_shape(back: Backward, upstream: str, output: str, name: str) -> str:
    """Sums a gradient over the axes along which the input was repeated."""
    wide, narrow = back.shape(output), back.shape(name)
    if len(narrow) != len(wide):
        raise ValueError(f"{name} is repeated along new axes")
    axes = [axis for axis, size in enumerate(narrow) if size == 1 and wide[axis] != 1]
    return back.add("ReduceSum", upstream, back.constant(axes, np.int64)) if axes else upstream


def _add(back: Backward, node: Node, upstream: str) -> list[str | None]:
    sign = -1 if node.op_type == "Sub" else 1
    gradients: list[str | None] = []
    for place, name in enumerate(node.input):
        if back.is_constant(name):
            gradients.append(None)
            continue
        own = back.add("Neg", upstream) if place == 1 and sign < 0 else upstream
        gradients.append(_same_shape(back, own, node.output[0], name))
    return gradients


def _mul(back: Backward, node: Node, upstream: str) -> list[str | None]:
    one, other = node.input
    return [
        None if back.is_constant(name) else _same_shape(back, back.add("Mul", upstream, by), node.output[0], name)
        for name, by in ((one, other), (other, one))
    ]


def _div(back: Backward, node: Node, upstream: str) -> list[str | None]:
    if not back.is_constant(node.input[1]):
        raise ValueError("it divides by a computed number")
    return [_same_shape(back, back.add("Div", upstream, node.input[1]), node.output[0], node.input[0]), None]


def _matmul(back: Backward, node: Node, upstream: str) -> list[str | None]:
    if len(back.shape(node.input[1])) != 2 or not back.is_constant(node.input[1]):
        raise ValueError("it multiplies two computed tensors")
    return [back.add("MatMul", upstream, back.add("Transpose", node.input[1], perm=[1, 0])), None]


def _gemm(back: Backward, node: Node, upstream: str) -> list[str | None]:
    given = {"alpha": 1.0, "transA": 0, "transB": 0, **_attributes(node)}
    if given["transA"] or not back.is_constant(node.input[1]):
        raise ValueError("it multiplies two computed tensors")
    return [back.add("Gemm", upstream, node.input[1], alpha=given["alpha"], transB=1 - given["transB"])]


def _window(back: Backward, node: Node, kernel: Sequence[int]) -> dict[str, Any]:
    """Strides, pads and dilations of a convolution or a pool, and what of the input no window reaches."""
    given, rank = _attributes(node), len(kernel)
    if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or given.get("ceil_mode"):
        raise ValueError("its padding depends on the picture's size")
    strides, dilations = given.get("strides", [1] * rank), given.get("dilations", [1] * rank)
    pads = given.get("pads", [0] * 2 * rank)
    before, after = back.sizes(node.input[0], 2), back.sizes(node.output[0], 2)
    reached = [
        (after[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - pads[axis] - pads[axis + rank]
        for axis in range(rank)
    ]
    left = [before[axis] - reached[axis] for axis in range(rank)]
    return {"strides": strides, "dilations": dilations, "pads": pads, "output_padding": left}


def _conv(back: Backward, node: Node, upstream: str) -> list[str | None]:
    if not back.is_constant(node.input[1]):
        raise ValueError("its weights are computed")
    window = _window(back, node, back.sizes(node.input[1], 2))
    return [back.add("ConvTranspose", upstream, node.input[1], group=_attributes(node).get("group", 1), **window)]


def _average_pool(back: Backward, node: Node, upstream: str) -> list[str | None]:
    given = _attributes(node)
    kernel, channels = given["kernel_shape"], back.sizes(node.input[0], 1)[0]
    window = _window(back, node, kernel)
    if any(window["pads"]) and not given.get("count_include_pad"):
        rank, sizes = len(kernel), back.sizes(node.input[0], 2)
        for axis, after in enumerate(back.sizes(node.output[0], 2)):
            start = np.arange(after) * window["strides"][axis] - window["pads"][axis]
            places = start[:, np.newaxis] + np.arange(kernel[axis]) * window["dilations"][axis]
            inside = ((places >= 0) & (places < sizes[axis])).sum(1) / kernel[axis]
            shape = [1, 1, *(after if place == axis else 1 for place in range(rank))]
            upstream = back.add("Div", upstream, back.constant(inside.reshape(shape)))
    share = np.full([channels, 1, *kernel], 1 / np.prod(kernel))
    return [back.add("ConvTranspose", upstream, back.constant(share), group=channels, **window)]


def _max_pool(back: Backward, node: Node, upstream: str) -> list[str | None]:
    """Each gradient goes to the largest number of its window. MaxPool gives its place in the flattened input."""
    name = back.add("MaxPool", node.input[0], **_attributes(node))
    back.nodes[-1].output.append(f"{name}_places")
    flat = back.constant([-1], np.int64)
    shape = back.add("Shape", node.input[0])
    zeros = back.add("Expand", back.constant([0]), back.add("ReduceProd", shape, keepdims=1))
    places, values = (back.add("Reshape", tensor, flat) for tensor in (f"{name}_places", upstream))
    sums = back.add("ScatterElements", zeros, places, values, axis=0, reduction="add")
    return [back.add("Reshape", sums, shape)]


def _mean(back: Backward, node: Node, upstream: str) -> list[str | None]:
    """ReduceMean, ReduceSum and GlobalAveragePool."""
    given, rank = _attributes(node), len(back.shape(node.input[0]))
    if node.op_type == "GlobalAveragePool":
        axes, kept = list(range(2, rank)), 1
    else:
        chosen = back.value(node.input[1]).tolist() if len(node.input) > 1 and node.input[1] else given.get("axes", [])
        axes, kept = [axis % rank for axis in chosen], given.get("keepdims", 1)
    if not axes:
        raise ValueError("it reduces all axes")
    wide = upstream if kept else back.add("Unsqueeze", upstream, back.constant(axes, np.int64))
    spread = back.add("Expand", wide, back.add("Shape", node.input[0]))
    if node.op_type == "ReduceSum":
        return [spread]
    count = np.prod([back.sizes(node.input[0], axis)[0] for axis in axes])
    return [back.add("Div", spread, back.constant(float(count)))]


def _batch_normalization(back: Backward, node: Node, upstream: str) -> list[str | None]:
    scale, variance = back.value(node.input[1]), back.value(node.input[4])
    by = scale / np.sqrt(variance + _attributes(node).get("epsilon", 1e-5))
    wide = [1, -1, *[1] * (len(back.shape(node.input[0])) - 2)]
    return [back.add("Mul", upstream, back.constant(by.reshape(wide)))]


def _slice(back: Backward, node: Node, upstream: str) -> list[str | None]:
    """Zeros around what was sliced."""
    sizes = back.shape(node.input[0])
    starts, ends = (back.value(name).tolist() for name in node.input[1:3])
    axes = back.value(node.input[3]).tolist() if len(node.input) > 3 else list(range(len(starts)))
    if len(node.input) > 4 and (back.value(node.input[4]) != 1).any():
        raise ValueError("it slices with steps")
    pads = [0] * 2 * len(sizes)
    for start, end, axis in zip(starts, ends, axes, strict=True):
        size = sizes[axis]
        if size is None:
            if start == 0 and end > 2**31 - 2:
                continue
            raise ValueError("it slices an axis of any size")
        first, last, _ = slice(start, end).indices(size)
        pads[axis % len(sizes)], pads[axis % len(sizes) + len(sizes)] = first, size - last
    return [back.add("Pad", upstream, back.constant(pads, np.int64))]


def _pad(back: Backward, node: Node, upstream: str) -> list[str | None]:
    if _attributes(node).get("mode", b"constant") != b"constant" or len(node.input) > 3:
        raise ValueError("it pads with numbers of the picture")
    return [back.add("Pad", upstream, back.constant(-back.value(node.input[1]), np.int64))]


def _concat(back: Backward, node: Node, upstream: str) -> list[str | None]:
    axis = _attributes(node)["axis"]
    axis %= len(back.shape(node.output[0]))
    gradients: list[str | None] = []
    first = 0
    for name in node.input:
        last = first + back.sizes(name, axis)[0]
        ends = (back.constant([place], np.int64) for place in (first, last, axis))
        gradients.append(back.add("Slice", upstream, *ends))
        first = last
    return gradients


def _softmax(back: Backward, node: Node, upstream: str) -> list[str | None]:
    axis = back.constant([_attributes(node).get("axis", -1)], np.int64)
    shared = back.add("ReduceSum", back.add("Mul", upstream, node.output[0]), axis, keepdims=1)
    return [back.add("Mul", node.output[0], back.add("Sub", upstream, shared))]


def _where(back: Backward, condition: str, upstream: str) -> list[str | None]:
    return [back.add("Where", condition, upstream, back.constant(0))]


def _relu(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return _where(back, back.add("Greater", node.input[0], back.constant(0)), upstream)


def _leaky_relu(back: Backward, node: Node, upstream: str) -> list[str | None]:
    slope = back.constant(_attributes(node).get("alpha", 0.01))
    positive = back.add("Greater", node.input[0], back.constant(0))
    return [back.add("Where", positive, upstream, back.add("Mul", upstream, slope))]


def _bound(back: Backward, node: Node, upstream: str) -> list[str | None]:
    """Max or Min of a computed number and a constant bound."""
    if len(node.input) != 2 or back.is_constant(node.input[0]) == back.is_constant(node.input[1]):
        raise ValueError("it compares computed numbers")
    place = 0 if back.is_constant(node.input[1]) else 1
    compare = "Greater" if node.op_type == "Max" else "Less"
    inside = back.add(compare, node.input[place], node.input[1 - place])
    gradients: list[str | None] = [None, None]
    gradients[place] = back.add("Where", inside, upstream, back.constant(0))
    return gradients


def _clip(back: Backward, node: Node, upstream: str) -> list[str | None]:
    for bound, compare in zip(node.input[1:], ("Greater", "Less"), strict=False):
        if bound:
            (upstream_or_none,) = _where(back, back.add(compare, node.input[0], bound), upstream)
            upstream = str(upstream_or_none)
    return [upstream]


def _sigmoid(back: Backward, node: Node, upstream: str) -> list[str | None]:
    slope = back.add("Mul", node.output[0], back.add("Sub", back.constant(1), node.output[0]))
    return [back.add("Mul", upstream, slope)]


def _tanh(back: Backward, node: Node, upstream: str) -> list[str | None]:
    slope = back.add("Sub", back.constant(1), back.add("Mul", node.output[0], node.output[0]))
    return [back.add("Mul", upstream, slope)]


def _exp(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return [back.add("Mul", upstream, node.output[0])]


def _log(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return [back.add("Div", upstream, node.input[0])]


def _sqrt(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return [back.add("Div", upstream, back.add("Mul", back.constant(2), node.output[0]))]


def _neg(back: Backward, _: Node, upstream: str) -> list[str | None]:
    return [back.add("Neg", upstream)]


def _softplus(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return [back.add("Mul", upstream, back.add("Sigmoid", node.input[0]))]


def _transpose(back: Backward, node: Node, upstream: str) -> list[str | None]:
    perm = _attributes(node)["perm"]
    return [back.add("Transpose", upstream, perm=np.argsort(perm).tolist())]


def _reshape(back: Backward, node: Node, upstream: str) -> list[str | None]:
    return [back.add("Reshape", upstream, back.add("Shape", node.input[0]))]


def _resize(back: Backward, node: Node, upstream: str) -> list[str | None]:
    given = _attributes(node)
    mode = (given.get("mode", b"nearest"), given.get("coordinate_transformation_mode", b"half_pixel"))
    sizes = (back.shape(name)[:2] for name in (node.input[0], node.output[0]))
    if mode != (b"linear", b"half_pixel") or given.get("antialias") or len(set(map(tuple, sizes))) > 1:
        raise ValueError("it resizes in another way than bilinearly")
    before, after = back.sizes(node.input[0], 2), back.sizes(node.output[0], 2)
    rows, columns = map(linear_weights, before, after)
    return [back.add("MatMul", back.add("MatMul", back.constant(rows.T), upstream), back.constant(columns))]


def _gather(back: Backward, node: Node, upstream: str) -> list[str | None]:
    axis, picked, rank = _attributes(node).get("axis", 0), back.value(node.input[1]), len(back.shape(node.output[0]))
    if picked.ndim != 1:
        raise ValueError("it picks along several axes")
    last = [*(other for other in range(rank) if other != axis % rank), axis % rank]
    picks = np.eye(back.sizes(node.input[0], axis)[0], dtype=np.float32)[picked]
    summed = back.add("MatMul", back.add("Transpose", upstream, perm=last), back.constant(picks))
    return [back.add("Transpose", summed, perm=np.argsort(last).tolist()), None]


def _identity(_: Backward, __: Node, upstream: str) -> list[str | None]:
    return [upstream]


RULES: dict[str, Rule] = {
    "Add": _add, "Sub": _add, "Mul": _mul, "Div": _div, "MatMul": _matmul, "Gemm": _gemm, "Neg": _neg,
    "Conv": _conv, "AveragePool": _average_pool, "MaxPool": _max_pool, "BatchNormalization": _batch_normalization,
    "GlobalAveragePool": _mean, "ReduceMean": _mean, "ReduceSum": _mean,
    "Relu": _relu, "LeakyRelu": _leaky_relu, "Clip": _clip, "Max": _bound, "Min": _bound,
    "Sigmoid": _sigmoid, "Tanh": _tanh, "Softplus": _softplus, "Softmax": _softmax,
    "Exp": _exp, "Log": _log, "Sqrt": _sqrt,
    "Resize": _resize, "Gather": _gather, "Transpose": _transpose,
    "Reshape": _reshape, "Flatten": _reshape, "Squeeze": _reshape, "Unsqueeze": _reshape,
    "Slice": _slice, "Pad": _pad, "Concat": _concat, "Identity": _identity, "Dropout": _identity,
}  # fmt: skip
