"""Writes expected.json: how far two versions of the clothing model agree on photos, computed without the gateway.

    python3 tests/replay/expected.py OLD_FOLDER NEW_FOLDER PHOTOS > tests/replay/expected.json

OLD_FOLDER and NEW_FOLDER have a model.onnx; PHOTOS is the folder of the test split. Needs numpy, onnxruntime, Pillow and statsmodels.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from statsmodels.stats.proportion import proportion_confint

SIZE = (299, 299)
# Every fourth photo: enough for figures, and a test of seconds.
STEP = 4


def tensor_of(photo):
    """The preprocessing of serving/training/data.py."""
    with Image.open(photo) as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.NEAREST), np.float32)
    return pixels[np.newaxis] / 127.5 - 1


def probabilities_of(folder, photos):
    session = onnxruntime.InferenceSession(str(Path(folder) / "model.onnx"))
    (given,) = session.get_inputs()
    logits = np.concatenate([session.run(None, {given.name: tensor_of(photo)})[0] for photo in photos])
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def main(old, new, folder):
    photos = sorted(Path(folder).rglob("*.jpg"), key=lambda photo: str(photo.relative_to(folder)))[::STEP]
    old, new = probabilities_of(old, photos), probabilities_of(new, photos)
    same = int((old.argmax(axis=1) == new.argmax(axis=1)).sum())
    low, high = proportion_confint(same, len(photos), alpha=0.05, method="wilson")
    expected = {
        "photos": len(photos),
        "same": same,
        "interval": [float(low), float(high)],
        "meanDistance": float(np.abs(old - new).sum(axis=1).mean()),
    }
    print(json.dumps(expected, indent=2))


main(*sys.argv[1:])
