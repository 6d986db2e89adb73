"""Writes model.yaml from a model's signature and the options that the model does not contain."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
import yaml

from .pictures import ENGINES, PILLOW, SCALES
from .settings import SIGNATURE

CONVERTED = """\
# Written by `make convert`. A model file does not say how pictures were read: correct `image` if training read them in
# another way, then confirm it: npx tensorgate models prove {name}
"""
# The gateway chooses between serving_default and serving_uint8, which has the same weights.
AUTO = "auto"
# Fields that are text, whatever YAML makes of them.
NAMES = ("name", "signature", "classes", "output")
ModelFile = dict[str, Any]
Specs = dict[str, tf.TensorSpec]


class ImageOptions(NamedTuple):
    """What a model file does not contain. None: not given.

    `classes`: in the order of the output. `scale`: how pixels are scaled. `resize`, `engine`: how pictures are resized.
    `scores`: what the output means, to override what its last layer says. `output`: for a model with several.
    """

    classes: list[str] | None = None
    scale: str | None = None
    resize: str | None = None
    engine: str | None = None
    scores: str | None = None
    output: str | None = None


class Names(list[str]):
    """Names that YAML writes on one line and in quotes, so that no reader takes one for a number or a boolean."""


def _quoted(dumper: yaml.SafeDumper, names: Names) -> yaml.SequenceNode:
    texts = [yaml.ScalarNode("tag:yaml.org,2002:str", name, style='"') for name in names]
    return yaml.SequenceNode("tag:yaml.org,2002:seq", texts, flow_style=True)


yaml.SafeDumper.add_representer(Names, _quoted)


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
    engine = image.engine or "pillow"
    # The defaults of Keras: load_img takes Pillow's nearest, image_dataset_from_directory takes TensorFlow's bilinear.
    resize = image.resize or ("nearest" if engine == "pillow" else "bilinear")
    if resize not in ENGINES[engine]:
        raise ValueError(f"--resize {resize}: engine {engine} has {', '.join(ENGINES[engine])}")
    pixels = {"scale": image.scale, "color": "rgb", "layout": "NHWC", "pillow": PILLOW}
    return {"input": name, "size": size, "resize": resize, "engine": engine, "fit": "stretch", **pixels}


def _holds(spec: tf.TensorSpec, width: int) -> bool:
    """Whether a row can have `width` numbers. [n, 10], [n, 1, 10] and [n, 10, 1, 1] have 10, [n] has 1."""
    if spec.shape.rank is None:
        return True
    axes = spec.shape.as_list()[1:]
    known = [size for size in axes if size not in (1, None)]
    return known == [width] or (not known and spec.shape.rank > 0 and (width == 1 or None in axes))


def output_of(outputs: Specs, classes: list[str], wanted: str | None) -> str:
    """The output that has the scores: `wanted`, or the only one that fits the classes. Raises ValueError otherwise.

    Two classes may share one number, if no output has two.
    """
    for width in [2, 1] if len(classes) == 2 else [len(classes)]:
        fitting = [name for name, spec in outputs.items() if _holds(spec, width) and wanted in (None, name)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            raise ValueError(f"{len(classes)} classes fit several outputs: add --output {'|'.join(fitting)}")
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
        output_of(signature.outputs, image.classes, image.output)
        described["classes"] = image.classes
    if image.output:
        described["output"] = image.output
    return described


def _load(path: Path) -> ModelFile:
    """The document of a model.yaml. Names stay text: a class 08 is not a number."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        described, texts = (yaml.load(path.read_text(), loader) for loader in (yaml.SafeLoader, yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(described, dict):
        return {}
    return described | {name: texts[name] for name in NAMES if name in described}


def read_model_file(path: Path, name: str, signature: SignatureSpec) -> ModelFile:
    """Reads a model.yaml. Raises ValueError if it does not fit the model."""
    described = _load(path)
    if described.get("name") != name:
        raise ValueError(f"{path}: name must be {name}")
    if described.get("signature", SIGNATURE) not in (SIGNATURE, AUTO):
        raise ValueError(f"{path}: signature must be {SIGNATURE}, which is compared with the source")
    if "image" in described and not ("classes" in described and len(signature.inputs) == 1):
        raise ValueError(
            f"{path}: image is for models with classes and one input; inputs: {', '.join(signature.inputs)}"
        )
    if "classes" in described:
        output_of(signature.outputs, described["classes"], described.get("output"))
    return described


def with_options(described: ModelFile, given: ImageOptions) -> ModelFile:
    """A copy with the options that were given."""
    image = {name: value for name in ("resize", "engine", "scale") if (value := getattr(given, name)) is not None}
    changed = dict(described)
    if image and "image" in described:
        changed["image"] = {**described["image"], **image}
    for name in ("classes", "scores", "output"):
        if getattr(given, name) is not None:
            changed[name] = getattr(given, name)
    return changed


def write_model_file(path: Path, described: ModelFile, head: str = "") -> None:
    """Writes model.yaml with the fields in the given order and lists on one line. Names of classes are in quotes."""
    quoted = {**described, "classes": Names(described["classes"])} if "classes" in described else described
    text = yaml.safe_dump(quoted, sort_keys=False, default_flow_style=None, width=10_000, allow_unicode=True)
    path.write_text(head + text)
