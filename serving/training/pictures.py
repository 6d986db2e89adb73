"""Preprocesses pictures as described by a model.yaml, for converted models. The trained model uses data.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import tensorflow as tf
from PIL import Image

from .data import Bytes, Floats
from .parity import Reader
from .served import Array

MEAN, DEVIATION = (np.array(values, np.float32) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
CAFFE_MEAN = np.array((103.939, 116.779, 123.68), np.float32)
ONE = np.float32(1)
Scale = Callable[[Floats], Floats]
Pixels = Callable[[Path], Array]
# Each step rounds to float32, like in the gateway.
SCALES: dict[str, Scale] = {
    "tf": lambda x: x / np.float32(127.5) - ONE,
    "mul127": lambda x: x * np.float32(1 / 127.5) - ONE,
    "div255": lambda x: x / np.float32(255),
    "mul255": lambda x: x * np.float32(1 / 255),
    "torch": lambda x: (x / np.float32(255) - MEAN) / DEVIATION,
    "caffe": lambda x: x[..., ::-1] - CAFFE_MEAN,
    "none": lambda x: x,
}
OWN_SCALE = {"divide", "mean", "std"}
# The resize methods of each engine, as in gateway/domain/picture.ts.
ENGINES = {
    "pillow": ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"),
    "tensorflow": ("nearest", "bilinear", "bicubic", "area", "lanczos3"),
}
# The supported values. A model.yaml with other valid values gets no parity samples.
READ_HERE = {"fit": "stretch", "color": "rgb", "layout": "NHWC"}
# Pillow 13 swapped the order of the two resize passes. Nearest has only one pass.
PILLOW = int(PIL.__version__.split(".")[0])


def _with_pillow(size: tuple[int, int], method: str) -> Pixels:
    """Reads a file as uint8 pixels [height, width, 3]."""
    resampling = Image.Resampling[method.upper()]

    def pixels(path: Path) -> Bytes:
        with Image.open(path) as opened:
            return np.asarray(opened.convert("RGB").resize(size[::-1], resampling))

    return pixels


def _with_tensorflow(size: tuple[int, int], method: str, antialias: bool) -> Pixels:
    """Reads a file as float32 pixels [height, width, 3], which are not rounded after the resize."""

    def pixels(path: Path) -> Array:
        with Image.open(path) as opened:
            decoded = np.asarray(opened.convert("RGB"))
        resized: Array = tf.image.resize(decoded, size, method, antialias=antialias).numpy()
        return resized

    return pixels


def _scale_of(image: dict[str, Any]) -> Scale | None:
    """The function for model.yaml's `scale`: a name, or x / divide, minus the mean, by the deviation."""
    scale = image.get("scale")
    if not isinstance(scale, dict):
        return SCALES.get(str(scale))
    if not {"mean", "std"} <= scale.keys() <= OWN_SCALE:
        return None
    divide, mean, std = (np.array(scale.get(key, 255), np.float32) for key in ("divide", "mean", "std"))
    return lambda x: (x / divide - mean) / std


def to_dtype(values: Array, dtype: Any) -> Array:
    """Integers are rounded half to even and clamped, as by keras.layers.Resizing; `astype` would wrap them."""
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype)
    bounds = np.iinfo(dtype)
    return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)


def _pixels_of(image: dict[str, Any]) -> Pixels:
    """Raises ValueError for a method that the engine does not have."""
    engine, resize = image.get("engine", "pillow"), str(image.get("resize", "nearest"))
    if "size" not in image or _scale_of(image) is None or resize not in ENGINES.get(engine, ()):
        raise ValueError(
            f"model.yaml: image needs size, scale ({', '.join(SCALES)} or {{mean, std}}), "
            "and a resize method of its engine: "
            + "; ".join(f"{name} has {', '.join(methods)}" for name, methods in ENGINES.items())
        )
    size = tuple(image["size"])
    if engine == "tensorflow":
        return _with_tensorflow(size, resize, image.get("antialias", False))
    return _with_pillow(size, resize)


def reader_of(image: dict[str, Any], inputs: dict[str, tf.TensorSpec]) -> Reader | None:
    """The reader for model.yaml's `image`, or None if its values are not supported here.

    Tensors have the dtype of the model's input. Raises ValueError if their shape does not match the input.
    """
    if image.get("encoded") or any(image.get(key, value) != value for key, value in READ_HERE.items()):
        return None
    # Pillow's nearest and TensorFlow's resize do not depend on Pillow's version.
    by_version = image.get("engine", "pillow") == "pillow" and image.get("resize", "nearest") != "nearest"
    if by_version and image.get("pillow", PILLOW) != PILLOW:
        return None
    resized, scale = _pixels_of(image), _scale_of(image)
    assert scale is not None  # _pixels_of has checked it
    ((name, spec),) = inputs.items()
    height, width = image["size"]
    if not spec.shape.is_compatible_with([1, height, width, 3]):
        raise ValueError(f"model.yaml: image.size {image['size']} does not fit input {name} {spec.shape.as_list()}")
    dtype = spec.dtype.as_numpy_dtype

    def pixels(path: Path) -> Array:
        return to_dtype(resized(path), np.uint8) if dtype == np.uint8 else resized(path)

    def tensor(values: Array) -> Array:
        return to_dtype(scale(values.astype(np.float32)), dtype)

    return Reader(pixels, tensor)
