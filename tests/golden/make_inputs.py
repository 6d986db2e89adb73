"""Computes input tensors with Pillow, numpy, Keras and TensorFlow for parts of model.yaml that golden.json does not have.

python make_inputs.py writes inputs.json: letterbox, own mean and deviation, and inputs of other dtypes than float32, each
as the fields of `image` in model.yaml, the dtype of the input, and the SHA-256 of the tensor's bytes.
Made with Pillow 13.0.0, Keras 3.15.1 and TensorFlow 2.19.1. The tests need only inputs.json, not this program.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import PIL
import tensorflow as tf
from PIL import Image, ImageOps

HERE = Path(__file__).parent
IMAGES = ["jpg-420-odd.jpg", "jpg-299x640.jpg", "png-rgb8.png", "jpg-300x7.jpg", "jpg-17x16.jpg", "jpg-1x1.jpg"]
CENTERING = {"center": (0.5, 0.5), "top-left": (0, 0), "bottom-right": (1, 1)}
RESULTS: list[dict[str, Any]] = []


def opened(name: str, mode: str = "RGB") -> Image.Image:
    return Image.open(HERE / "images" / name).convert(mode)


def record(image: str, spec: dict[str, Any], tensor: Any, dtype: str = "DT_FLOAT") -> None:
    array = np.ascontiguousarray(tensor)
    RESULTS.append(
        {"image": image, "spec": spec, "dtype": dtype, "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    )


def pillow_padding() -> None:
    for name in IMAGES:
        for size in ([64, 64], [48, 100], [100, 31]):
            for method in ("nearest", "bilinear", "bicubic", "lanczos"):
                for place, colour in (("center", 0), ("top-left", [114, 114, 114]), ("bottom-right", [1, 20, 255])):
                    fill = (0, 0, 0) if colour == 0 else tuple(colour)
                    fitted = ImageOps.pad(
                        opened(name), (size[1], size[0]), Image.Resampling[method.upper()], fill, CENTERING[place]
                    )
                    fit = {"pad": colour, "place": place}
                    spec = {"size": size, "resize": method, "fit": fit, "scale": "div255"}
                    record(name, spec, np.asarray(fitted).astype(np.float32) / np.float32(255))
        gray = ImageOps.pad(opened(name, "L"), (50, 40), Image.Resampling.BILINEAR, 77)
        spec = {"size": [40, 50], "resize": "bilinear", "color": "grayscale", "scale": "none"}
        record(name, {**spec, "fit": {"pad": 77, "place": "center"}}, np.asarray(gray).astype(np.float32)[..., None])


def tensorflow_padding() -> None:
    for name in IMAGES:
        pixels = np.asarray(opened(name))
        for size in ([64, 64], [48, 100], [100, 31], [299, 224]):
            for method, antialias in (
                ("nearest", False), ("bilinear", False), ("bicubic", False), ("area", False),
                ("bilinear", True), ("lanczos3", True),
            ):  # fmt: skip
                spec = {"engine": "tensorflow", "size": size, "resize": method, "antialias": antialias, "scale": "tf"}
                try:
                    fitted = tf.image.resize_with_pad(pixels, *size, method, antialias).numpy().astype(np.float32)
                except tf.errors.InvalidArgumentError:
                    RESULTS.append(
                        {"image": name, "spec": {**spec, "fit": {"pad": 0, "place": "center"}}, "error": True}
                    )
                    continue
                tensor = fitted / np.float32(127.5) - np.float32(1)
                record(name, {**spec, "fit": {"pad": 0, "place": "center"}}, tensor)


def own_scales() -> None:
    scales = [
        {"divide": 255, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        {"divide": 255, "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]},
        {"divide": 1, "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
        {"divide": 127.5, "mean": [1, 1, 1], "std": [1, 1, 1]},
    ]
    for scale in scales:
        for layout in ("NHWC", "NCHW"):
            pixels = np.asarray(opened("png-rgb8.png").resize((40, 30), Image.Resampling.BILINEAR)).astype(np.float32)
            mean, std = (np.array(scale[key], np.float32) for key in ("mean", "std"))
            tensor = (pixels / np.float32(scale["divide"]) - mean) / std
            spec = {"size": [30, 40], "resize": "bilinear", "scale": scale, "layout": layout}
            record("png-rgb8.png", spec, tensor if layout == "NHWC" else tensor.transpose(2, 0, 1))
    pixels = np.asarray(opened("png-l8.png", "L").resize((28, 28), Image.Resampling.BILINEAR)).astype(np.float32)
    spec = {"size": [28, 28], "resize": "bilinear", "color": "grayscale"}
    scale = {"divide": 255, "mean": [0.1307], "std": [0.3081]}
    tensor = (pixels / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081)
    record("png-l8.png", {**spec, "scale": scale}, tensor[..., None])


def integers() -> None:
    for name in IMAGES:
        pixels = np.asarray(opened(name))
        for dtype, number in (("uint8", "DT_UINT8"), ("int32", "DT_INT32")):
            for method in ("nearest", "bilinear", "bicubic", "area", "lanczos3"):
                for antialias in (False, True) if method not in ("nearest", "area") else (False,):
                    layer = keras.layers.Resizing(40, 56, method, antialias=antialias, dtype=dtype)
                    spec = {"engine": "tensorflow", "size": [40, 56], "resize": method, "antialias": antialias}
                    record(name, {**spec, "scale": "none"}, layer(pixels[None].astype(dtype)).numpy()[0], number)
        layer = keras.layers.Resizing(40, 56, "bicubic", crop_to_aspect_ratio=True, dtype="uint8")
        spec = {"engine": "tensorflow", "size": [40, 56], "resize": "bicubic", "fit": "crop", "scale": "none"}
        record(name, spec, layer(pixels[None]).numpy()[0], "DT_UINT8")
    gray16 = np.asarray(Image.open(HERE / "images" / "png-l16.png").resize((32, 24), Image.Resampling.NEAREST))
    spec = {"size": [24, 32], "resize": "nearest", "color": "grayscale", "scale": "none"}
    clipped: Callable[[Any], Any] = lambda values: tf.saturate_cast(values.astype(np.float32), tf.uint8).numpy()  # noqa: E731
    record("png-l16.png", spec, clipped(gray16)[..., None], "DT_UINT8")
    record("png-l16.png", spec, gray16.astype(np.int32)[..., None], "DT_INT32")


def short_floats() -> None:
    for name in ("png-rgb8.png", "jpg-420-odd.jpg"):
        pixels = np.asarray(opened(name).resize((50, 37), Image.Resampling.BICUBIC)).astype(np.float32)
        resized = tf.image.resize(np.asarray(opened(name)), [37, 50], "bicubic").numpy()
        for scale, make in {
            "tf": lambda x: x / np.float32(127.5) - np.float32(1),
            "mul255": lambda x: x * np.float32(1 / 255),
            "caffe": lambda x: x[..., ::-1] - np.array((103.939, 116.779, 123.68), np.float32),
            "none": lambda x: x,
        }.items():
            for dtype, number in ((tf.float16, "DT_HALF"), (tf.bfloat16, "DT_BFLOAT16")):
                pillow = {"size": [37, 50], "resize": "bicubic", "scale": scale}
                record(name, pillow, tf.cast(make(pixels), dtype).numpy(), number)
                record(name, {**pillow, "engine": "tensorflow"}, tf.cast(make(resized), dtype).numpy(), number)


def main() -> None:
    for make in (pillow_padding, tensorflow_padding, own_scales, integers, short_floats):
        make()
    made_with = {"pillow": PIL.__version__, "keras": keras.__version__, "tensorflow": tf.__version__}
    lines = ",\n".join(json.dumps(result) for result in RESULTS)
    (HERE / "inputs.json").write_text(f'{{"made_with": {json.dumps(made_with)}, "results": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
