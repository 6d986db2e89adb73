"""Reads pictures as a model.yaml says, with Pillow and numpy; training's own model needs only data.py."""

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
# Each step rounds to float32, as the gateway's does.
SCALES: dict[str, Scale] = {
    "tf": lambda x: x / np.float32(127.5) - ONE,
    "mul127": lambda x: x * np.float32(1 / 127.5) - ONE,
    "div255": lambda x: x / np.float32(255),
    "mul255": lambda x: x * np.float32(1 / 255),
    "torch": lambda x: (x / np.float32(255) - MEAN) / DEVIATION,
    "caffe": lambda x: x[..., ::-1] - CAFFE_MEAN,
    "none": lambda x: x,
}
# What is read here. Other words of model.yaml are right too, but such a model gets no parity samples.
READ_HERE = {"engine": "pillow", "fit": "stretch", "color": "rgb", "layout": "NHWC"}
# Pillow 13 turned the order of the two passes round; nearest has only one.
PILLOW = int(PIL.__version__.split(".")[0])


def reader_of(image: dict[str, Any], inputs: dict[str, tf.TensorSpec]) -> Reader | None:
    """The reader for model.yaml's `image`; None where this module cannot read so.

    Its tensors have the dtype of the model's input; ValueError if they would not have its shape.
    """
    resize = str(image.get("resize", "nearest")).upper()
    if any(image.get(key, value) != value for key, value in READ_HERE.items()):
        return None
    if resize != "NEAREST" and image.get("pillow", PILLOW) != PILLOW:
        return None
    if "size" not in image or image.get("scale") not in SCALES or resize not in Image.Resampling.__members__:
        raise ValueError(f"model.yaml: image needs size, scale ({', '.join(SCALES)}), and a resize that Pillow has")
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
