"""Writes model.yaml from a model's signature and the options that the model does not contain."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
import yaml

from .pictures import PILLOW, SCALES
from .settings import SIGNATURE

HEAD = "# Written by training/convert.py. The resize method is an assumption: change it to what training used.\n"
ModelFile = dict[str, Any]
Specs = dict[str, tf.TensorSpec]


class ImageOptions(NamedTuple):
    """What an image model does not contain: its classes, in the order of the output, and how pixels are scaled."""

    classes: list[str] | None = None
    scale: str | None = None


class SignatureSpec(NamedTuple):
    """The inputs and outputs of a signature by name."""

    inputs: Specs
    outputs: Specs


def read_signature(version: Path) -> SignatureSpec:
    """The serving_default signature of a SavedModel."""
    signature = tf.saved_model.load(str(version)).signatures[SIGNATURE]
    return SignatureSpec(dict(signature.structured_input_signature[1]), dict(signature.structured_outputs))


def _takes_pictures(inputs: Specs) -> bool:
    """Whether the only input is [n, height, width, 3]."""
    shapes = [spec.shape for spec in inputs.values()]
    return len(shapes) == 1 and shapes[0].rank == 4 and shapes[0][-1] == 3


def _image(signature: SignatureSpec, image: ImageOptions) -> dict[str, Any]:
    ((name, spec),) = signature.inputs.items()
    size = spec.shape.as_list()[1:3]
    if None in size:
        raise ValueError(f"input {name} takes pictures of any size: use --model-yaml FILE with image.size")
    options = {"--classes a,b,c": image.classes, f"--scale {'|'.join(SCALES)}": image.scale}
    missing = [option for option, value in options.items() if not value]
    if missing:
        raise ValueError(f"an image model needs {' and '.join(missing)}, or --model-yaml FILE")
    resizing = {"resize": "nearest", "engine": "pillow", "fit": "stretch"}
    pixels = {"scale": image.scale, "color": "rgb", "layout": "NHWC", "pillow": PILLOW}
    return {"input": name, "size": size, **resizing, **pixels}


def _check_classes(classes: list[str], outputs: Specs) -> None:
    shapes = [spec.shape for spec in outputs.values()]
    if len(shapes) != 1 or not shapes[0].is_compatible_with([None, len(classes)]):
        given = ", ".join(f"{name} {spec.shape}" for name, spec in outputs.items())
        raise ValueError(f"{len(classes)} classes need one output of shape [n, {len(classes)}]; this model has {given}")


def check_name(name: str) -> None:
    """Checks the name by the gateway's rules. A leading dot marks an unfinished folder."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(f"--name {name}: use letters, digits, dots, dashes and underscores, without a leading dot")


def describe(name: str, signature: SignatureSpec, image: ImageOptions) -> ModelFile:
    """The fields of model.yaml except `scores`. Raises ValueError if an option is missing or does not fit the model."""
    described: ModelFile = {"name": name, "signature": SIGNATURE}
    if _takes_pictures(signature.inputs):
        described["image"] = _image(signature, image)
    if image.classes:
        _check_classes(image.classes, signature.outputs)
        described["classes"] = image.classes
    return described


def read_model_file(path: Path, name: str, signature: SignatureSpec) -> ModelFile:
    """Reads a model.yaml. Raises ValueError if it does not fit the model."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        described = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(described, dict) or described.get("name") != name:
        raise ValueError(f"{path}: name must be {name}")
    if described.get("signature", SIGNATURE) != SIGNATURE:
        raise ValueError(f"{path}: signature must be {SIGNATURE}, which is compared with the source")
    if "image" in described and not ("classes" in described and len(signature.inputs) == 1):
        raise ValueError(
            f"{path}: image is for models with classes and one input; inputs: {', '.join(signature.inputs)}"
        )
    if "classes" in described:
        _check_classes(described["classes"], signature.outputs)
    return described


def write_model_file(path: Path, described: ModelFile) -> None:
    """Writes model.yaml with the fields in the given order and lists on one line."""
    path.write_text(HEAD + yaml.safe_dump(described, sort_keys=False, default_flow_style=None, width=10_000))
