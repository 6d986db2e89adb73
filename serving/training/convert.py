"""Turns a trained model of any make into a model folder to serve.

python -m training.convert --from model.h5 --name NAME --out DIR --classes a,b,c --scale tf

Takes a .keras file, an .h5 of Keras 2 or 3, or a SavedModel's folder; inputs and outputs keep their names.
"""

import argparse
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .agreement import largest_difference
from .model_file import Ends, Known, ModelFile, check_name, describe, ends_of, read_model_file, write_model_file
from .parity import PICTURES, write_parity
from .pictures import SCALES, reader_of
from .served import Array, Call, Tensors, onnx_call, tensorflow_call
from .settings import VERSION
from .source import take_source
from .to_onnx import write_onnx
from .warmup import write_warmup

MODEL_FILE = "model.yaml"


class Order(NamedTuple):
    """What to convert; `model_yaml` or `known` says what no model says of itself."""

    source: Path
    name: str
    out: Path
    model_yaml: Path | None = None
    known: Known = Known()


def _random(spec: tf.TensorSpec) -> Array:
    """Two rows of the input's type; other open axes have length one."""
    chance, shape = np.random.default_rng(7), [size or (1 if axis else 2) for axis, size in enumerate(spec.shape)]
    if spec.dtype == tf.string:
        return np.full(shape, "a", object)
    if spec.dtype.is_floating:
        return chance.normal(0, 1, shape).astype(spec.dtype.as_numpy_dtype)
    return chance.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)


def _samples(described: ModelFile, ends: Ends, version: Path) -> list[Tensors]:
    """The parity pictures, written now, for a model that is known to read them so; else random rows."""
    reader = reader_of(described["image"], ends.inputs) if "image" in described else None
    if reader is None:
        return [{name: _random(spec) for name, spec in ends.inputs.items()}]
    (image,), (scores,) = ends
    call, parity = tensorflow_call(version), version.parent / "parity"
    write_parity(parity, VERSION, lambda tensor: call({image: tensor})[scores], reader)
    return [{image: reader.tensor(reader.pixels(parity / picture))[np.newaxis]} for picture in PICTURES]


def _compare(calls: dict[str, Call], samples: list[Tensors]) -> float:
    """The largest difference of any output between any two ways; ValueError names the ways and the output."""
    largest = 0.0
    for inputs in samples:
        answers = {way: call(inputs) for way, call in calls.items()}
        for output in answers["source"]:
            outputs = {f"{output} of {way}": answer[output] for way, answer in answers.items()}
            largest = max(largest, largest_difference(outputs))
    return largest


def _scores(call: Call, samples: list[Tensors]) -> str:
    """What the only output is: logits or, where rows of more than one number add up to one, probabilities."""
    rows = np.concatenate([next(iter(call(inputs).values())) for inputs in samples])
    return "probabilities" if (rows >= 0).all() and np.allclose(rows.sum(1), 1, atol=1e-3) else "logits"


def _build(order: Order, folder: Path) -> float:
    """Everything but its name; returns the largest difference."""
    version, given = folder / str(VERSION), order.model_yaml
    source = take_source(order.source, version)
    ends = ends_of(version)
    described = read_model_file(given, order.name, ends) if given else describe(order.name, ends, order.known)
    write_onnx(version)
    write_warmup(version, order.name)
    samples = _samples(described, ends, version)
    formats = {"SavedModel": tensorflow_call(version), "ONNX": onnx_call(version)}
    difference = _compare({"source": source, **formats}, samples)
    if given:
        shutil.copyfile(given, folder / MODEL_FILE)
    else:
        scores = {"scores": _scores(source, samples)} if "classes" in described else {}
        write_model_file(folder / MODEL_FILE, described | scores)
    return difference


def convert(order: Order) -> float:
    """Makes OUT/NAME with model.yaml, version 1 and parity samples; returns the largest difference from the source.

    ValueError, one line, if something is missing or the formats do not agree; nothing is left behind then.
    """
    check_name(order.name)
    folder = order.out / order.name
    if folder.exists():
        raise ValueError(f"{folder}: exists; give another --name or --out, and push the new version into it from there")
    unfinished = order.out / f".{order.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        difference = _build(order, unfinished)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return difference


def _arguments() -> Order:
    parser = argparse.ArgumentParser(
        prog="python -m training.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="PATH")
    parser.add_argument("--name", required=True, help="the model's name, and its folder's")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of models")
    parser.add_argument("--model-yaml", type=Path, metavar="FILE", help="a model.yaml to take instead of writing one")
    parser.add_argument("--classes", help="a,b,c: names of the output, for a model of pictures")
    parser.add_argument("--scale", choices=SCALES, help="what training did to pixels; see docs/preprocessing.md")
    given = parser.parse_args()
    known = Known(given.classes.split(",") if given.classes else None, given.scale)
    return Order(given.source, given.name, given.out, given.model_yaml, known)


def main() -> None:
    """The command line."""
    order = _arguments()
    try:
        difference = convert(order)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    folder = order.out / order.name
    parity = "with parity samples" if (folder / "parity").exists() else "without parity samples"
    print(f"{folder}: version {VERSION}, {parity}; source, SavedModel and ONNX differ by at most {difference:.1e}")


if __name__ == "__main__":
    main()
