"""Writes model.yaml, what the gateway must know, from what a model says of itself and what only people know."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
import yaml

from .pictures import PILLOW, SCALES
from .settings import SIGNATURE

HEAD = "# Written by training/convert.py. How pictures are resized is assumed: make it what training did.\n"
ModelFile = dict[str, Any]
Specs = dict[str, tf.TensorSpec]


class Known(NamedTuple):
    """What a model of pictures does not say: its classes, in the order of the output, and how pixels are scaled."""

    classes: list[str] | None = None
    scale: str | None = None


class Ends(NamedTuple):
    """The inputs and outputs of a signature by name."""

    inputs: Specs
    outputs: Specs


def ends_of(version: Path) -> Ends:
    """Of a SavedModel's serving_default."""
    signature = tf.saved_model.load(str(version)).signatures[SIGNATURE]
    return Ends(dict(signature.structured_input_signature[1]), dict(signature.structured_outputs))


def _takes_pictures(inputs: Specs) -> bool:
    """One input, of three channels that come last."""
    shapes = [spec.shape for spec in inputs.values()]
    return len(shapes) == 1 and shapes[0].rank == 4 and shapes[0][-1] == 3


def _image(ends: Ends, known: Known) -> dict[str, Any]:
    ((name, spec),) = ends.inputs.items()
    size = spec.shape.as_list()[1:3]
    if None in size:
        raise ValueError(f"input {name} takes pictures of any size: give --model-yaml FILE with image.size")
    options = {"--classes a,b,c": known.classes, f"--scale {'|'.join(SCALES)}": known.scale}
    missing = [option for option, value in options.items() if not value]
    if missing:
        raise ValueError(f"a model of pictures needs {' and '.join(missing)}, or --model-yaml FILE")
    resizing = {"resize": "nearest", "engine": "pillow", "fit": "stretch"}
    pixels = {"scale": known.scale, "color": "rgb", "layout": "NHWC", "pillow": PILLOW}
    return {"input": name, "size": size, **resizing, **pixels}


def _check_classes(classes: list[str], outputs: Specs) -> None:
    shapes = [spec.shape for spec in outputs.values()]
    if len(shapes) != 1 or not shapes[0].is_compatible_with([None, len(classes)]):
        given = ", ".join(f"{name} {spec.shape}" for name, spec in outputs.items())
        raise ValueError(f"{len(classes)} classes name one output of [n, {len(classes)}]; this model gives {given}")


def check_name(name: str) -> None:
    """As the gateway wants it; a folder that starts with a dot would be an unfinished one."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(f"--name {name}: letters, digits, dots, dashes and underscores, no dot in front")


def describe(name: str, ends: Ends, known: Known) -> ModelFile:
    """model.yaml but for `scores`; ValueError says which option is missing or does not fit the model."""
    described: ModelFile = {"name": name, "signature": SIGNATURE}
    if _takes_pictures(ends.inputs):
        described["image"] = _image(ends, known)
    if known.classes:
        _check_classes(known.classes, ends.outputs)
        described["classes"] = known.classes
    return described


def read_model_file(path: Path, name: str, ends: Ends) -> ModelFile:
    """A model.yaml written by hand; ValueError where it is not of this model."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        described = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(described, dict) or described.get("name") != name:
        raise ValueError(f"{path}: name has to be {name}")
    if described.get("signature", SIGNATURE) != SIGNATURE:
        raise ValueError(f"{path}: signature has to be {SIGNATURE}, the one that is compared with the source")
    if "image" in described and not ("classes" in described and len(ends.inputs) == 1):
        raise ValueError(f"{path}: image is for models with classes and one input; inputs: {', '.join(ends.inputs)}")
    if "classes" in described:
        _check_classes(described["classes"], ends.outputs)
    return described


def write_model_file(path: Path, described: ModelFile) -> None:
    """In the order given, lists in one line."""
    path.write_text(HEAD + yaml.safe_dump(described, sort_keys=False, default_flow_style=None, width=10_000))
