"""Draws a few small pictures and writes what training makes of them, for the gateway to compare itself with."""

import hashlib
import json
import math
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from .data import read_tensor
from .export import TOLERANCE
from .served import Scores

SEED = 7
# One for each way a decoder can go astray: odd chroma edges, progressive scans, palettes, hidden alpha, WebP.
PICTURES: dict[str, tuple[str, tuple[int, int], dict[str, object]]] = {
    "tall-420.jpg": ("RGB", (267, 401), {"quality": 82, "subsampling": "4:2:0"}),
    "wide-progressive.jpg": ("RGB", (533, 350), {"quality": 60, "subsampling": "4:2:2", "progressive": True}),
    "palette.png": ("P", (320, 240), {"optimize": True}),
    "alpha.png": ("RGBA", (200, 310), {"optimize": True}),
    "lossless.webp": ("RGB", (401, 300), {"lossless": True, "quality": 100, "method": 6}),
}


def _gradient(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A slow colour ramp in both directions: any shift of a row or column changes the tensor."""
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
    """Hard edges on top, where resampling and chroma go wrong first."""
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
    """The file of one picture, the same at every call."""
    mode, size, options = PICTURES[name]
    chance = random.Random(f"{SEED} {name}")
    # A ramp of many colours makes a lossless file large, so those get a flat ground.
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


def tensor_hash(path: Path) -> str:
    """SHA-256 of the tensor's bytes: float32, little-endian, C order."""
    return hashlib.sha256(read_tensor(path).astype("<f4").tobytes()).hexdigest()


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_parity(folder: Path, version: int, scores: Scores, pictures: Callable[[str], bytes] = draw) -> None:
    """Pictures, tensors.json, and VERSION.json with the scores of the exported SavedModel."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (folder / name).write_bytes(pictures(name))
    samples = [{"file": name, "sha256": tensor_hash(folder / name)} for name in PICTURES]
    _write(folder / "tensors.json", {"samples": samples})
    rows = {name: [round(float(score), 6) for score in scores(read_tensor(folder / name))[0]] for name in PICTURES}
    _write(folder / f"{version}.json", {"version": version, "tolerance": TOLERANCE, "scores": rows})
