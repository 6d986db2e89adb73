"""Draws small pictures and writes the hashes of their tensors and their scores, for the gateway to compare with."""

import hashlib
import math
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .agreement import tolerance_for
from .data import normalise, read_pixels
from .json_file import write_json
from .served import Array, Scores


class Reader(NamedTuple):
    """Functions from a file to pixels [height, width, channels], and from pixels to the network's input."""

    pixels: Callable[[Path], Array]
    tensor: Callable[[Array], Array]


TRAINING = Reader(read_pixels, normalise)
SEED = 7
# One for each kind of decoder error: odd chroma edges, progressive scans, palettes, hidden alpha, WebP.
PICTURES: dict[str, tuple[str, tuple[int, int], dict[str, object]]] = {
    "tall-420.jpg": ("RGB", (267, 401), {"quality": 82, "subsampling": "4:2:0"}),
    "wide-progressive.jpg": ("RGB", (533, 350), {"quality": 60, "subsampling": "4:2:2", "progressive": True}),
    "palette.png": ("P", (320, 240), {"optimize": True}),
    "alpha.png": ("RGBA", (200, 310), {"optimize": True}),
    "lossless.webp": ("RGB", (401, 300), {"lossless": True, "quality": 100, "method": 6}),
}


def _gradient(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A smooth colour gradient in both directions: any shift of a row or column changes the tensor."""
    width, height = size
    phase = [chance.uniform(0, math.tau) for _ in range(3)]
    pixels = (
        int(127 + 96 * math.sin(x / 71 + phase[channel]) * math.cos(y / 53 - phase[channel]))
        for y in range(height)
        for x in range(width)
        for channel in range(3)
    )
    return Image.frombytes("RGB", size, bytes(pixels))


def _shapes(image: Image.Image, chance: random.Random) -> None:
    """Draws hard edges, where errors in resampling and chroma are largest."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = chance.randrange(width - 40), chance.randrange(height - 40)
        box = (left, top, left + chance.randrange(20, 120), top + chance.randrange(20, 120))
        colour = tuple(chance.randrange(256) for _ in range(3))
        paint = chance.choice((draw.rectangle, draw.ellipse))
        paint(box, fill=colour)
        draw.line((left, top, width - left, height - top), fill=colour, width=3)


def draw(name: str) -> bytes:
    """The bytes of one picture, identical in every call."""
    mode, size, options = PICTURES[name]
    chance = random.Random(f"{SEED} {name}")
    # A gradient makes lossless files large, so they get a plain background.
    lossy = name.endswith(".jpg")
    image = _gradient(size, chance) if lossy else Image.new("RGB", size, (chance.randrange(256), 90, 160))
    _shapes(image, chance)
    if mode == "P":
        image = image.quantize(32, dither=Image.Dither.NONE)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    file = BytesIO()
    image.save(file, format=Image.registered_extensions()[Path(name).suffix], **options)
    return file.getvalue()


def _sha256(values: Array) -> str:
    """SHA-256 of the bytes in little-endian, C order."""
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()


def hashes(path: Path, reader: Reader = TRAINING) -> dict[str, str]:
    """SHA-256 of the tensor, and of whole pixels for a signature that takes uint8."""
    pixels = reader.pixels(path)
    whole = {"pixels_sha256": _sha256(pixels)} if pixels.dtype == np.uint8 else {}
    return {"sha256": _sha256(reader.tensor(pixels)), **whole}


def write_tensors(folder: Path, reader: Reader = TRAINING, image: dict[str, Any] | None = None) -> None:
    """Writes the pictures and tensors.json.

    `image`: model.yaml's own, for tensors that follow model.yaml instead of a training's code. The gateway calls them
    unproven until a person has confirmed model.yaml.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (folder / name).write_bytes(draw(name))
    samples = [{"file": name, **hashes(folder / name, reader)} for name in PICTURES]
    source = {"source": "model.yaml", "image": image} if image else {}
    write_json(folder / "tensors.json", {**source, "samples": samples})


def write_scores(folder: Path, version: int, scores: Scores, reader: Reader = TRAINING) -> None:
    """Writes VERSION.json with the scores of the exported SavedModel. The pictures must be there."""
    rows = {}
    for name in PICTURES:
        tensor = reader.tensor(reader.pixels(folder / name))[np.newaxis]
        rows[name] = [round(float(score), 6) for score in scores(tensor).ravel()]
    tolerance = tolerance_for(*(np.array(row) for row in rows.values()))
    write_json(folder / f"{version}.json", {"version": version, "tolerance": tolerance, "scores": rows})


def write_parity(folder: Path, version: int, scores: Scores) -> None:
    """Writes the pictures, their tensors as training reads them, and the version's scores."""
    write_tensors(folder)
    write_scores(folder, version, scores)
