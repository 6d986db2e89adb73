"""Writes explain.onnx: the signature `explain` for the embedded server, with gradients as ONNX nodes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from .agreement import largest_difference
from .explain import (
    CHUNK_NUMBERS,
    CHUNK_POINTS,
    EXPLAIN,
    GAUSS_LEGENDRE,
    MAX_STEPS,
    MIN_STEPS,
    QUADRATURE,
    STEPS,
    TARGET,
    TRAPEZOID,
    attributions_name,
    baseline_name,
    baseline_score_name,
    score_name,
)
from .onnx_gradient import gradient
from .onnx_quadrature import POINTS, gauss_legendre, trapezoid
from .served import onnx_call, onnx_file
from .to_onnx import IR_VERSION, share_weights

# The first opset in which Equal supports strings.
OPSET = 19
# Of the sum of the attributions' sizes.
ATTRIBUTIONS_TOLERANCE = 0.01


class Nodes:
    """Nodes in order, and the constants that they need."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """Adds a constant."""
        name = f"explain_constant_{len(self.constants)}"
        array = np.asarray(values, object if dtype is str else dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, operation: str, inputs: Iterable[str], *outputs: str, **attributes: Any) -> str:
        """Adds a node and returns the name of its first output."""
        self.nodes.append(helper.make_node(operation, list(inputs), list(outputs), name=outputs[0], **attributes))
        return outputs[0]


class Forward(NamedTuple):
    """The model's own nodes from its inputs to the explained output, with the shapes of all values."""

    graph: onnx.GraphProto
    inputs: list[str]
    output: str

    def nodes(self, prefix: str, renamed: dict[str, str]) -> tuple[list[onnx.NodeProto], str]:
        """A copy whose values have a prefix, or another name; and the name of its output."""
        weights = {weight.name for weight in self.graph.initializer}

        def name_of(name: str) -> str:
            return name if name in weights or not name else renamed.get(name, f"{prefix}{name}")

        copies = []
        for node in self.graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{prefix}{node.name}"
            copy.input[:] = [name_of(name) for name in node.input]
            copy.output[:] = [name_of(name) for name in node.output]
            copies.append(copy)
        return copies, name_of(self.output)


def _forward(model: onnx.ModelProto, output: str) -> Forward:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    needed, kept = {output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            if any(attribute.HasField("g") for attribute in node.attribute):
                raise ValueError(f"{node.op_type} {node.name} has no gradient here")
            needed |= set(node.input)
            kept.append(node)
    nodes = kept[::-1]
    del graph.node[:]
    graph.node.extend(nodes)
    return Forward(graph, [value.name for value in graph.input], output)


def _value(name: str, kind: int, shape: Sequence[str | int | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _sizes(forward: Forward, name: str) -> list[str | int | None]:
    (value,) = (value for value in forward.graph.input if value.name == name)
    return [axis.dim_value or axis.dim_param or None for axis in value.type.tensor_type.shape.dim]


def _checked(main: Nodes) -> None:
    """`checked_steps`: the steps. ONNX cannot raise an error of its own; an index outside of a constant is one."""
    few = main.add("GreaterOrEqual", [STEPS, main.constant(MIN_STEPS)], "enough_steps")
    many = main.add("LessOrEqual", [STEPS, main.constant(MAX_STEPS)], "not_too_many_steps")
    kinds = [
        main.add("Equal", [QUADRATURE, main.constant(kind, str)], f"is_{kind}") for kind in (GAUSS_LEGENDRE, TRAPEZOID)
    ]
    valid = main.add("And", [main.add("And", [few, many], "valid_steps"), main.add("Or", kinds, "known")], "valid")
    index = main.add("Where", [valid, main.constant(0), main.constant(1)], "index_by_validity")
    ones = main.add("Gather", [main.constant([1]), index], "ones_if_valid")
    main.add("Mul", [STEPS, ones], "checked_steps")


def _scores(main: Nodes, forward: Forward) -> None:
    """The target's scores of baselines and inputs, by one run for both."""
    both = {name: main.add("Concat", [baseline_name(name), name], f"both_{name}", axis=0) for name in forward.inputs}
    nodes, scores = forward.nodes("ends/", both)
    main.nodes.extend(nodes)
    rows = main.add("Flatten", [scores], "scores_of_both", axis=1)
    targets = main.add("Concat", [TARGET, TARGET], "target_of_both", axis=0)
    column = main.add("Unsqueeze", [targets, main.constant([1])], "target_column")
    chosen = main.add("GatherElements", [rows, column], "chosen", axis=1)
    flat = main.add("Squeeze", [chosen, main.constant([1])], "chosen_scores")
    outputs = [baseline_score_name(forward.output), score_name(forward.output)]
    main.add("Split", [flat], *outputs, axis=0, num_outputs=2)


def _chunk(forward: Forward) -> int:
    """The number of points that are computed at once."""
    sizes = [size for name in forward.inputs for size in [_sizes(forward, name)[1:]]]
    if not all(isinstance(size, int) for axes in sizes for size in axes):
        return 1
    numbers = sum(int(np.prod(np.array(axes, np.int64))) for axes in sizes)
    return int(np.clip(CHUNK_NUMBERS // max(1, numbers), 1, CHUNK_POINTS))


def _points(forward: Forward, main: Nodes) -> onnx.GraphProto:
    """The body of the loop over chunks: adds the gradients at some points, times their weights, to the totals."""
    body, chunk = Nodes(), main.constant([_chunk(forward)])
    one_axis = main.constant([1])
    start = body.add("Mul", [body.add("Reshape", ["chunk", one_axis], "chunk_number"), chunk], "chunk_start")
    end = body.add("Add", [start, chunk], "chunk_end")
    axis = main.constant([0])
    places = body.add("Slice", ["places", start, end, axis], "chunk_places")
    weights = body.add("Slice", ["weights", start, end, axis], "chunk_weights")
    on_line = {}
    for name in forward.inputs:
        shape = main.constant([-1, *[1] * (len(_sizes(forward, name)) - 1)])
        along = body.add("Reshape", [places, shape], f"along_{name}")
        moved = body.add("Mul", [along, f"difference_{name}"], f"moved_{name}")
        on_line[name] = body.add("Add", [f"row_{baseline_name(name)}", moved], f"on_line_{name}")
    # The model's own names, so that its shapes are known to the gradient. Only the inputs have new ones.
    nodes, scores = forward.nodes("", on_line)
    body.nodes.extend(nodes)
    flat = body.add("Flatten", [scores], "line_scores", axis=1)
    classes = body.add("Shape", [flat], "line_classes", start=1)
    count = body.add("Squeeze", [classes], "line_classes_number")
    numbers = body.add("Range", [main.constant(0), count, main.constant(1)], "class_numbers")
    is_target = body.add("Equal", [numbers, "row_target"], "is_target")
    ones = body.add("Cast", [is_target], "target_ones", to=TensorProto.FLOAT)
    column = body.add("Unsqueeze", [weights, one_axis], "weight_column")
    seed = body.add("Mul", [column, ones], "seed_rows")
    body.add("Reshape", [seed, body.add("Shape", [scores], "scores_shape")], "seed")
    renamed = onnx.GraphProto()
    renamed.CopyFrom(forward.graph)
    del renamed.node[:]
    renamed.node.extend(nodes)
    for value in renamed.input:
        value.name = on_line[value.name]
    back, slopes = gradient(renamed, scores, "seed", list(on_line.values()))
    body.nodes.extend(back.nodes)
    main.constants.extend(back.constants)
    given = [_value("chunk", TensorProto.INT64, []), _value("go", TensorProto.BOOL, [])]
    made = [_value(body.add("Identity", ["go"], "again"), TensorProto.BOOL, [])]
    for name, slope in zip(forward.inputs, slopes, strict=True):
        sizes = _sizes(forward, name)[1:]
        total = body.add("ReduceSum", [slope, axis], f"sum_{name}", keepdims=0)
        given.append(_value(f"total_{name}", TensorProto.FLOAT, sizes))
        made.append(_value(body.add("Add", [f"total_{name}", total], f"new_total_{name}"), TensorProto.FLOAT, sizes))
    return helper.make_graph(body.nodes, "points", given, made)


def _row(forward: Forward, main: Nodes) -> onnx.GraphProto:
    """The body of the loop over rows: the attributions of one."""
    body = Nodes()
    for name in (*forward.inputs, *map(baseline_name, forward.inputs), TARGET, QUADRATURE):
        body.add("Gather", [name, "row"], f"row_{name}", axis=0)
    for name in forward.inputs:
        body.add("Sub", [f"row_{name}", f"row_{baseline_name(name)}"], f"difference_{name}")
    body.add("Gather", ["checked_steps", "row"], POINTS, axis=0)
    is_trapezoid = body.add("Equal", [f"row_{QUADRATURE}", main.constant(TRAPEZOID, str)], "row_is_trapezoid")
    branches = {"then_branch": trapezoid(), "else_branch": gauss_legendre()}
    body.add("If", [is_trapezoid], "places", "weights", **branches)
    before = main.constant(_chunk(forward) - 1)
    rounded = body.add("Add", [POINTS, before], "points_and_rest")
    chunks = body.add("Div", [rounded, main.constant(_chunk(forward))], "chunks")
    zeros = [body.add("Sub", [f"row_{name}", f"row_{name}"], f"zeros_{name}") for name in forward.inputs]
    totals = [f"totals_{name}" for name in forward.inputs]
    body.add("Loop", [chunks, "", *zeros], *totals, body=_points(forward, main))
    given = [_value("row", TensorProto.INT64, []), _value("row_go", TensorProto.BOOL, [])]
    made = [_value(body.add("Identity", ["row_go"], "row_again"), TensorProto.BOOL, [])]
    for name, total in zip(forward.inputs, totals, strict=True):
        attributions = body.add("Mul", [total, f"difference_{name}"], f"attributions_of_row_{name}")
        made.append(_value(attributions, TensorProto.FLOAT, _sizes(forward, name)[1:]))
    return helper.make_graph(body.nodes, "rows", given, made)


def explain_model(model: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """The ONNX model of the signature `explain` for a model with float inputs.

    Raises ValueError, with the node, for an operation whose gradient is not known.
    """
    forward, main = _forward(model, output), Nodes()
    _checked(main)
    _scores(main, forward)
    attributions = [attributions_name(name) for name in forward.inputs]
    rows = main.add("Squeeze", [main.add("Shape", [TARGET], "target_shape")], "rows")
    main.add("Loop", [rows, ""], *attributions, body=_row(forward, main))
    given = [
        _value(kind(name), TensorProto.FLOAT, _sizes(forward, name))
        for kind in (str, baseline_name)
        for name in forward.inputs
    ]
    given += [_value(name, TensorProto.INT64, ["batch"]) for name in (TARGET, STEPS)]
    given.append(_value(QUADRATURE, TensorProto.STRING, ["batch"]))
    made = [
        _value(made, TensorProto.FLOAT, _sizes(forward, name))
        for name, made in zip(forward.inputs, attributions, strict=True)
    ]
    names = [score_name(output), baseline_score_name(output)]
    made += [_value(name, TensorProto.FLOAT, ["batch"]) for name in names]
    graph = helper.make_graph(main.nodes, EXPLAIN, given, made, [*forward.graph.initializer, *main.constants])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _check(version: Path, signature: tf.types.experimental.ConcreteFunction) -> None:
    """Compares the explanation of a random row with the SavedModel's. Raises ValueError if they differ."""
    chance, inputs = np.random.default_rng(7), {}
    for name, spec in signature.structured_input_signature[1].items():
        if spec.dtype.is_floating:
            inputs[name] = chance.normal(0, 1, [size or 1 for size in spec.shape]).astype(spec.dtype.as_numpy_dtype)
    inputs |= {TARGET: np.array([0]), STEPS: np.array([5]), QUADRATURE: np.array([GAUSS_LEGENDRE], object)}
    wanted = signature(**{name: tf.constant(values) for name, values in inputs.items()})
    got = onnx_call(version, EXPLAIN)(inputs)
    for name, values in wanted.items():
        if name.startswith(attributions_name("")):
            _check_attributions(name, got[name], values.numpy())
        else:
            largest_difference({f"{name} of SavedModel": values.numpy(), f"{name} of ONNX": got[name]})


def _check_attributions(name: str, got: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> None:
    """Compares sums: where a ReLU's input is almost 0, rounding decides whether one gradient passes or none."""
    difference, total = (float(np.abs(values).sum(dtype=np.float64)) for values in (got - wanted, wanted))
    # "not <=" instead of ">", so that NaN fails the check. All are 0 where the score is constant.
    if not difference <= ATTRIBUTIONS_TOLERANCE * total:
        raise ValueError(
            f"{name} of both formats differ by {difference:.2g} of {total:.2g}, allowed {ATTRIBUTIONS_TOLERANCE:.0%}"
        )


def write_explain_onnx(version: Path) -> dict[str, str]:
    """Writes explain.onnx of a version with model.onnx and an `explain` signature. Weights stay in model.onnx.

    Returns the reason, by format, if the graph has an operation whose gradient is not known; then nothing is written.
    Raises ValueError if the two formats differ.
    """
    loaded = tf.saved_model.load(str(version))
    signature, start = loaded.signatures[EXPLAIN], baseline_score_name("")
    (output,) = (name.removeprefix(start) for name in signature.structured_outputs if name.startswith(start))
    try:
        proto = explain_model(onnx.load(onnx_file(version)), output)
    except (ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return {"ONNX": str(error).strip().splitlines()[0]}
    share_weights(proto, onnx_file(version))
    onnx_file(version, EXPLAIN).write_bytes(proto.SerializeToString(deterministic=True))
    _check(version, signature)
    return {}
