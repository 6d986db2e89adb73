"""Pillow and numpy's half of bench/resample.ts: a line "whole FILTER COUNT" or "alone FILTER COUNT" on stdin is answered
with the CPU-ms of one image."""

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
    """From encoded bytes to a tensor of -1 to 1."""
    with Image.open(io.BytesIO(PHOTO)) as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE, resample))
    pixels[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)


def alone(resample: Image.Resampling) -> None:
    """The resize of a decoded image."""
    IMAGE.resize(SIZE, resample)


for line in sys.stdin:
    work, name, count = line.split()
    started = time.process_time()
    for _ in range(int(count)):
        {"whole": whole, "alone": alone}[work](Image.Resampling[name.upper()])
    print((time.process_time() - started) * 1000 / int(count), flush=True)
