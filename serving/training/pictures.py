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
# The supported values. A model.yaml with other valid values gets no parity samples.
READ_HERE = {"engine": "pillow", "fit": "stretch", "color": "rgb", "layout": "NHWC"}
# Pillow 13 swapped the order of the two resize passes. Nearest has only one pass.
PILLOW = int(PIL.__version__.split(".")[0])


def reader_of(image: dict[str, Any], inputs: dict[str, tf.TensorSpec]) -> Reader | None:
    """The reader for model.yaml's `image`, or None if its values are not supported here.

    Tensors have the dtype of the model's input. Raises ValueError if their shape does not match the input.
    """
    resize = str(image.get("resize", "nearest")).upper()
    if any(image.get(key, value) != value for key, value in READ_HERE.items()):
        return None
    if resize != "NEAREST" and image.get("pillow", PILLOW) != PILLOW:
        return None
    if "size" not in image or image.get("scale") not in SCALES or resize not in Image.Resampling.__members__:
        raise ValueError(f"model.yaml: image needs size, scale ({', '.join(SCALES)}), and a resize method of Pillow")
    ((name, spec),) = inputs.items()
    height, width = image["size"]
    if not spec.shape.is_compatible_with([1, height, width, 3]):
        raise ValueError(f"model.yaml: image.size {image['size']} does not fit input {name} {spec.shape.as_list()}")
    method, scale = Image.Resampling[resize], SCALES[image["scale"]]

    def pixels(path: Path) -> Bytes:
        with Image.open(path) as opened:
            return np.asarray(opened.convert("RGB").resize((width, height), method))

    def tensor(values: Bytes) -> Array:
        scaled: Array = scale(values.astype(np.float32)).astype(spec.dtype.as_numpy_dtype)
        return scaled

    return Reader(pixels, tensor)
