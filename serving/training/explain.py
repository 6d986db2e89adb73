"""The signature `explain`: integrated gradients of one score, on the line from a baseline to the input.

Attribution of a number x = (x - baseline) times the mean, over the line, of the score's derivative by x (Sundararajan,
Taly and Yan, Axiomatic Attribution for Deep Networks, 2017). Attributions add up to score - baseline score.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

EXPLAIN = "explain"
TARGET, STEPS, QUADRATURE = "target", "steps", "quadrature"
GAUSS_LEGENDRE, TRAPEZOID = "gauss-legendre", "trapezoid"
MIN_STEPS, MAX_STEPS = 2, 512
# Points of the line that are computed at once: memory grows with their numbers, 4 MB of input here.
CHUNK_NUMBERS, CHUNK_POINTS = 2**20, 256
# The numbers of each input [n, …] to the scores [n] or [n, classes].
Scores = Callable[[list[tf.Tensor]], tf.Tensor]
Signature = tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]
Line = tuple[tf.Tensor, tf.Tensor]


def baseline_name(name: str) -> str:
    """The input that has the baseline of an input."""
    return f"baseline_{name}"


def attributions_name(name: str) -> str:
    """The output that has the attributions of an input."""
    return f"attributions_{name}"


def score_name(output: str) -> str:
    """The output that has the target's score of the input. The name says which output of the model is explained."""
    return f"score_{output}"


def baseline_score_name(output: str) -> str:
    """The output that has the target's score of the baseline."""
    return f"baseline_score_{output}"


def obstacle(inputs: Sequence[tf.TensorSpec]) -> str | None:
    """Why a model with these inputs has no signature `explain`, or None."""
    names = [spec.name for spec in inputs]
    taken = {TARGET, STEPS, QUADRATURE, *map(baseline_name, names)} & set(names)
    for spec in inputs:
        if not spec.dtype.is_floating:
            return f"input {spec.name} is {spec.dtype.name}, which has no gradient"
        if spec.name in taken:
            return f"input {spec.name} has a name that the signature needs"
        if spec.shape.rank is None or spec.shape.rank == 0:
            return f"input {spec.name} has no rows"
    return None


def _gauss_legendre(steps: tf.Tensor) -> Line:
    """Points and weights on [0, 1], by Golub and Welsch: eigenvalues of the matrix of Legendre's recurrence."""
    row = tf.range(steps, dtype=tf.float64)
    column = row[:, tf.newaxis]
    larger = tf.maximum(row, column)
    recurrence = tf.where(tf.abs(row - column) == 1, larger / tf.sqrt(4 * larger * larger - 1), 0)
    places, vectors = tf.linalg.eigh(recurrence)
    return (places + 1) / 2, vectors[0] ** 2


def _trapezoid(steps: tf.Tensor) -> Line:
    """Equally spaced points on [0, 1]; both ends count half."""
    last = tf.cast(steps - 1, tf.float64)
    places = tf.range(steps, dtype=tf.float64) / last
    inner = tf.logical_and(places > 0, places < 1)
    return places, tf.where(inner, 1 / last, 0.5 / last)


def _checks(steps: tf.Tensor, quadrature: tf.Tensor) -> list[tf.Operation]:
    known = tf.logical_or(quadrature == GAUSS_LEGENDRE, quadrature == TRAPEZOID)
    return [
        tf.debugging.Assert(
            tf.reduce_all((steps >= MIN_STEPS) & (steps <= MAX_STEPS)), [f"{STEPS} must be {MIN_STEPS} to {MAX_STEPS}"]
        ),
        tf.debugging.Assert(tf.reduce_all(known), [f"{QUADRATURE} must be {GAUSS_LEGENDRE} or {TRAPEZOID}"]),
    ]


def _of_target(scores: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The target's score in each row: [n] or [n, …] to [n]."""
    return tf.gather(tf.reshape(scores, [tf.shape(scores)[0], -1]), target, axis=1)


def _integral(scores: Scores, ends: list[Line], target: tf.Tensor, line: Line) -> list[tf.Tensor]:
    """The attributions of one row. `ends`: baseline and input of each, without batch axis."""
    places, weights = line
    points = tf.size(places)
    numbers = tf.add_n([tf.size(end) for _, end in ends])
    chunk = tf.clip_by_value(CHUNK_NUMBERS // tf.maximum(numbers, 1), 1, CHUNK_POINTS)

    def add(first: tf.Tensor, totals: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        part = slice(first, first + chunk)
        on_line = []
        for start, end in ends:
            along = tf.reshape(tf.cast(places[part], end.dtype), [-1, *[1] * end.shape.rank])
            on_line.append(start + along * (end - start))
        with tf.GradientTape() as tape:
            tape.watch(on_line)
            score = _of_target(scores(on_line), target)
        # Weights as the gradient of the score: the sum over the points follows.
        slopes = tape.gradient(score, on_line, tf.cast(weights[part], score.dtype), "zero")
        return first + chunk, [total + tf.reduce_sum(slope, 0) for total, slope in zip(totals, slopes, strict=True)]

    start = (tf.constant(0), [tf.zeros_like(end) for _, end in ends])
    _, totals = tf.while_loop(lambda first, _: first < points, add, start, parallel_iterations=1)
    return [total * (end - start) for total, (start, end) in zip(totals, ends, strict=True)]


def explain_signature(scores: Scores, inputs: Sequence[tf.TensorSpec], output: str) -> Signature:
    """The signature's function and its inputs, for a model whose inputs have no `obstacle`.

    Every input and output has a row for each instance, as TF-Serving's batching requires. Inputs: the model's inputs
    NAME, and their baselines baseline_NAME of the same shape; target int64, the place in the scores; steps int64, the
    number of points; quadrature, "gauss-legendre" or "trapezoid". Outputs: attributions_NAME of the input's shape,
    score_OUTPUT and baseline_score_OUTPUT float32. Rows are computed one after another, and points in chunks, in
    bounded memory.
    """
    count = len(inputs)
    given = [
        *inputs,
        *(tf.TensorSpec(spec.shape, spec.dtype, baseline_name(spec.name)) for spec in inputs),
        tf.TensorSpec([None], tf.int64, TARGET),
        tf.TensorSpec([None], tf.int64, STEPS),
        tf.TensorSpec([None], tf.string, QUADRATURE),
    ]

    def row(tensors: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        *both, target, steps, quadrature = tensors
        ends = list(zip(both[count:], both[:count], strict=True))
        points = tf.cast(steps, tf.int32)
        line = tf.cond(quadrature == TRAPEZOID, lambda: _trapezoid(points), lambda: _gauss_legendre(points))
        values = _of_target(scores([tf.stack(pair) for pair in ends]), target)
        at_baseline, at_input = tf.unstack(tf.cast(values, tf.float32), 2)
        # A target that the scores do not have fails here, before the line is computed.
        with tf.control_dependencies([values]):
            attributions = _integral(scores, ends, target, line)
        return *attributions, at_input, at_baseline

    def explain(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies(_checks(tensors[-2], tensors[-1])):
            rows = tuple(map(tf.identity, tensors))
        kinds = [tf.TensorSpec(spec.shape[1:], spec.dtype) for spec in inputs]
        score = tf.TensorSpec([], tf.float32)
        outputs = tf.map_fn(row, rows, fn_output_signature=(*kinds, score, score), parallel_iterations=1)
        names = [
            *(attributions_name(spec.name) for spec in inputs),
            score_name(output),
            baseline_score_name(output),
        ]
        return dict(zip(names, outputs, strict=True))

    return explain, given
