"""A model of a table as plain numbers: known words one-hot, numbers as they are, dense layers behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
# By name; strings as Python objects, as both TensorFlow and ONNX Runtime take them.
Columns = dict[str, NDArray[Any]]
Row = Mapping[str, str | int | float]
DType = Literal["string", "int64", "float32"]

NUMPY: dict[DType, Any] = {"string": np.object_, "int64": np.int64, "float32": np.float32}


@dataclass(frozen=True)
class Feature:
    """A named input [n]. With words it is a category, and a value that is none of them counts 0; without, a number."""

    name: str
    dtype: DType
    words: tuple[str | int, ...] = ()


class Layer(NamedTuple):
    """A dense layer: weights [inputs, units] and bias [units]."""

    weights: Doubles
    bias: Doubles


@dataclass(frozen=True)
class Network:
    """Encoded features through dense layers, ReLU between them and a sigmoid at the end.

    `answer` names the outputs: ANSWER_probability, and the decision ANSWER, true from the threshold on.
    """

    answer: str
    features: tuple[Feature, ...]
    layers: tuple[Layer, ...]
    threshold: float = 0.5

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)

    def outputs(self, columns: Columns) -> dict[str, NDArray[Any]]:
        """The reference answer [n] in float64, which every exported format is held against."""
        values = encode(self.features, columns)
        for layer in self.layers[:-1]:
            values = np.maximum(values @ layer.weights + layer.bias, 0)
        logits = (values @ self.layers[-1].weights + self.layers[-1].bias)[:, 0]
        probabilities = 1 / (1 + np.exp(-logits))
        return {f"{self.answer}_probability": probabilities, self.answer: probabilities >= self.threshold}


def encode(features: Sequence[Feature], columns: Columns) -> Doubles:
    """Columns [n] to the first layer's input [n, width], in the order of the features."""
    parts = [
        columns[feature.name][:, np.newaxis] == np.array(feature.words)
        if feature.words
        else columns[feature.name][:, np.newaxis]
        for feature in features
    ]
    return np.concatenate([part.astype(np.float64) for part in parts], axis=1)


def columns_of(features: Sequence[Feature], rows: Sequence[Row]) -> Columns:
    """Rows as people write them to the tensors that the model takes."""
    return {feature.name: np.array([row[feature.name] for row in rows], NUMPY[feature.dtype]) for feature in features}


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """The way back, as JSON has it."""
    names, values = list(columns), [column.tolist() for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
