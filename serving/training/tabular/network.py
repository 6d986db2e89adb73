"""A model of a table as plain numbers: one-hot categories and raw numbers, followed by dense layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
# By name. Strings are Python objects, as TensorFlow and ONNX Runtime expect.
Columns = dict[str, NDArray[Any]]
Row = Mapping[str, str | int | float]
DType = Literal["string", "int64", "float32"]

THRESHOLD = 0.5
NUMPY: dict[DType, Any] = {"string": np.object_, "int64": np.int64, "float32": np.float32}


@dataclass(frozen=True)
class Feature:
    """A named input [n]. With `words` it is a category, whose other values count as 0; without, it is a number."""

    name: str
    dtype: DType
    words: tuple[str | int, ...] = ()


class Layer(NamedTuple):
    """A dense layer: weights [inputs, units] and bias [units]."""

    weights: Doubles
    bias: Doubles


@dataclass(frozen=True)
class Network:
    """Encoded features, and dense layers with ReLU between them.

    With a `threshold` there is a sigmoid at the end, and two outputs [n]: ANSWER_probability, and the decision ANSWER,
    true from the threshold. Without, the model is a regression: ANSWER [n, 1] is the number itself.
    """

    answer: str
    features: tuple[Feature, ...]
    layers: tuple[Layer, ...]
    threshold: float | None = THRESHOLD

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)

    def outputs(self, columns: Columns) -> dict[str, NDArray[Any]]:
        """The reference outputs, all [n], which the exported formats are compared with.

        Probabilities are float64. A number is float32 like the model's, because its rounding error can be above the
        tolerance.
        """
        values = encode(self.features, columns)
        for layer in self.layers[:-1]:
            values = np.maximum(values @ layer.weights + layer.bias, 0)
        logits = (values @ self.layers[-1].weights + self.layers[-1].bias)[:, 0]
        if self.threshold is None:
            return {self.answer: logits.astype(np.float32)}
        probabilities = 1 / (1 + np.exp(-logits))
        return {f"{self.answer}_probability": probabilities, self.answer: probabilities >= self.threshold}


def encode(features: Sequence[Feature], columns: Columns) -> Doubles:
    """Encodes columns [n] as the input of the first layer [n, width], in the order of the features."""
    parts = [
        columns[feature.name][:, np.newaxis] == np.array(feature.words)
        if feature.words
        else columns[feature.name][:, np.newaxis]
        for feature in features
    ]
    return np.concatenate([part.astype(np.float64) for part in parts], axis=1)


def columns_of(features: Sequence[Feature], rows: Sequence[Row]) -> Columns:
    """Converts rows to the tensors that the model takes."""
    return {feature.name: np.array([row[feature.name] for row in rows], NUMPY[feature.dtype]) for feature in features}


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """Converts tensors to rows of JSON values."""
    names, values = list(columns), [column.tolist() for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
