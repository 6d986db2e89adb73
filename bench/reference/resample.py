"""The Pillow and numpy side of bench/resample.ts and bench/jpeg.ts. For each line "whole FILTER COUNT", "alone FILTER COUNT"
or "decode FILTER COUNT" on stdin it prints the CPU-ms per image."""

import io
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

PHOTO = Path(sys.argv[1]).read_bytes()
IMAGE = Image.open(io.BytesIO(PHOTO)).convert("RGB")
SIZE = (299, 299)


def whole(resample: Image.Resampling) -> None:
    """Process encoded bytes to a tensor in [-1, 1]."""
    with Image.open(io.BytesIO(PHOTO)) as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE, resample))
    pixels[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)


def alone(resample: Image.Resampling) -> None:
    """Resize the decoded image."""
    IMAGE.resize(SIZE, resample)


def decode(_: Image.Resampling) -> None:
    """Decode the encoded bytes."""
    with Image.open(io.BytesIO(PHOTO)) as image:
        image.convert("RGB")


for line in sys.stdin:
    work, name, count = line.split()
    started = time.process_time()
    for _ in range(int(count)):
        {"whole": whole, "alone": alone, "decode": decode}[work](Image.Resampling[name.upper()])
    print((time.process_time() - started) * 1000 / int(count), flush=True)
