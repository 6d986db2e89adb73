"""Converts a trained model into a model folder to serve.

python -m training.convert --from model.h5 --name NAME --out DIR --classes a,b,c --scale tf

The source is a .keras file, an .h5 file of Keras 2 or 3, or a SavedModel folder. Inputs and outputs keep their names.
"""

import argparse
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .agreement import largest_difference
from .model_file import (
    ImageOptions,
    ModelFile,
    SignatureSpec,
    check_name,
    describe,
    read_model_file,
    read_signature,
    write_model_file,
)
from .parity import PICTURES, write_parity
from .pictures import SCALES, reader_of
from .served import Array, Call, Tensors, onnx_call, tensorflow_call
from .settings import VERSION
from .source import import_source
from .to_onnx import write_onnx
from .warmup import write_warmup

MODEL_FILE = "model.yaml"


class Conversion(NamedTuple):
    """What to convert. `model_yaml` or `image` adds what a model file does not contain."""

    source: Path
    name: str
    out: Path
    model_yaml: Path | None = None
    image: ImageOptions = ImageOptions()


def _random(spec: tf.TensorSpec) -> Array:
    """Two random rows of the input's type. Other variable axes have length one."""
    chance, shape = np.random.default_rng(7), [size or (1 if axis else 2) for axis, size in enumerate(spec.shape)]
    if spec.dtype == tf.string:
        return np.full(shape, "a", object)
    if spec.dtype.is_floating:
        return chance.normal(0, 1, shape).astype(spec.dtype.as_numpy_dtype)
    return chance.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)


def _samples(described: ModelFile, signature: SignatureSpec, version: Path) -> list[Tensors]:
    """The inputs to compare with: parity pictures if the model's preprocessing is supported, otherwise random rows."""
    reader = reader_of(described["image"], signature.inputs) if "image" in described else None
    if reader is None:
        return [{name: _random(spec) for name, spec in signature.inputs.items()}]
    (image,), (scores,) = signature
    call, parity = tensorflow_call(version), version.parent / "parity"
    write_parity(parity, VERSION, lambda tensor: call({image: tensor})[scores], reader)
    return [{image: reader.tensor(reader.pixels(parity / picture))[np.newaxis]} for picture in PICTURES]


def _compare(calls: dict[str, Call], samples: list[Tensors]) -> float:
    """The largest difference of any output between any two formats. Raises ValueError if it is too large."""
    largest = 0.0
    for inputs in samples:
        answers = {way: call(inputs) for way, call in calls.items()}
        for output in answers["source"]:
            outputs = {f"{output} of {way}": answer[output] for way, answer in answers.items()}
            largest = max(largest, largest_difference(outputs))
    return largest


def _scores(call: Call, samples: list[Tensors]) -> str:
    """ "probabilities" if all rows are non-negative and sum to one, otherwise "logits"."""
    rows = np.concatenate([next(iter(call(inputs).values())) for inputs in samples])
    return "probabilities" if (rows >= 0).all() and np.allclose(rows.sum(1), 1, atol=1e-3) else "logits"


def _build(conversion: Conversion, folder: Path) -> float:
    """Writes the model folder. Returns the largest difference between the formats."""
    version, given = folder / str(VERSION), conversion.model_yaml
    source = import_source(conversion.source, version)
    signature = read_signature(version)
    described = (
        read_model_file(given, conversion.name, signature)
        if given
        else describe(conversion.name, signature, conversion.image)
    )
    write_onnx(version)
    write_warmup(version, conversion.name)
    samples = _samples(described, signature, version)
    formats = {"SavedModel": tensorflow_call(version), "ONNX": onnx_call(version)}
    difference = _compare({"source": source, **formats}, samples)
    if given:
        shutil.copyfile(given, folder / MODEL_FILE)
    else:
        scores = {"scores": _scores(source, samples)} if "classes" in described else {}
        write_model_file(folder / MODEL_FILE, described | scores)
    return difference


def convert(conversion: Conversion) -> float:
    """Writes OUT/NAME with model.yaml, version 1 and parity samples. Returns the largest difference from the source.

    Raises ValueError, one line, if something is missing or the formats differ. Nothing is written in that case.
    """
    check_name(conversion.name)
    folder = conversion.out / conversion.name
    if folder.exists():
        raise ValueError(f"{folder}: already exists; use another --name or --out, then push the new version from there")
    unfinished = conversion.out / f".{conversion.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        difference = _build(conversion, unfinished)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return difference


def _arguments() -> Conversion:
    parser = argparse.ArgumentParser(
        prog="python -m training.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="PATH")
    parser.add_argument("--name", required=True, help="name of the model and its folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of models")
    parser.add_argument(
        "--model-yaml", type=Path, metavar="FILE", help="a model.yaml to use instead of a generated one"
    )
    parser.add_argument("--classes", help="a,b,c: names of the classes, for an image model")
    parser.add_argument("--scale", choices=SCALES, help="how training scaled pixels; see docs/preprocessing.md")
    given = parser.parse_args()
    image = ImageOptions(given.classes.split(",") if given.classes else None, given.scale)
    return Conversion(given.source, given.name, given.out, given.model_yaml, image)


def main() -> None:
    """Runs the command."""
    conversion = _arguments()
    try:
        difference = convert(conversion)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    folder = conversion.out / conversion.name
    parity = "with parity samples" if (folder / "parity").exists() else "without parity samples"
    print(f"{folder}: version {VERSION}, {parity}; source, SavedModel and ONNX differ by at most {difference:.1e}")


if __name__ == "__main__":
    main()
