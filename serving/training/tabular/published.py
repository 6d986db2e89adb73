"""Reads a published model: the coefficients of a logistic regression, with examples of its outputs."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..served import tensorflow_call
from .definition import Definition
from .folder import Samples
from .network import DType, Feature, Layer, Network, Row, columns_of

NUMBERS = Path(__file__).resolve().parent / "numbers"


class Published(NamedTuple):
    """The model, its description, and rows with expected outputs. `published`: outputs as printed in the course."""

    about: str
    network: Network
    rows: list[Row]
    outputs: list[dict[str, Any]]
    published: list[float | None]


def published(file: Path) -> Definition:
    """The model in NAME.json. Its examples are the parity samples. Raises the ValueError of read_published."""
    given = read_published(file)

    def results(version: Path) -> dict[str, Any]:
        answered = tensorflow_call(version)(columns_of(given.network.features, given.rows))
        probabilities = answered[f"{given.network.answer}_probability"]
        pairs = zip(given.published, probabilities, strict=True)
        return {
            "published": [
                {"published": printed, "answered": float(probability)}
                for printed, probability in pairs
                if printed is not None
            ]
        }

    return Definition(
        file.stem,
        given.about,
        "logistic regression",
        given.network,
        Samples(given.rows, given.outputs),
        {"numbers": file.name, "threshold": given.network.threshold},
        hashlib.sha256(file.read_bytes()).hexdigest(),
        results,
    )


def _dtype(values: list[str | int | float]) -> DType:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return "string"
    return "int64" if kinds == {int} else "float32"


def read_published(file: Path) -> Published:
    """Reads NAME.json: intercept, weights of categories and numbers, threshold and examples. NAME names the output.

    The type of an input follows from its values in the examples: string, int64 or float32. Raises ValueError, one line,
    if the file is not JSON or a field is missing.
    """
    try:
        return _published(json.loads(file.read_text()), file.stem)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    except KeyError as error:
        raise ValueError(f"{file}: {error} is missing") from error


def _published(given: dict[str, Any], answer: str) -> Published:
    rows = [example["instance"] for example in given["examples"]]
    features, weights = [], []
    for name, by_word in given["categories"].items():
        dtype = _dtype([row[name] for row in rows])
        words = tuple(word if dtype == "string" else int(word) for word in by_word)
        features.append(Feature(name, dtype, words))
        weights += by_word.values()
    for name, weight in given["numbers"].items():
        features.append(Feature(name, _dtype([row[name] for row in rows])))
        weights.append(weight)
    layer = Layer(np.array(weights, np.float64)[:, np.newaxis], np.array([given["intercept"]], np.float64))
    names = (f"{answer}_probability", answer)
    outputs = [{name: example[name] for name in names} for example in given["examples"]]
    network = Network(answer, tuple(features), (layer,), given["threshold"])
    published = [example.get("published") for example in given["examples"]]
    return Published(given["about"], network, rows, outputs, published)
