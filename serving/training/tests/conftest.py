"""Shared fixtures. No test needs the real photos."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from training.model import build_trunk
from training.settings import Settings
from training.split import PARTS

CLASSES = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")


@pytest.fixture(scope="session")
def trunk() -> keras.Model:
    """An untrained trunk with random batch normalisation, so that a folding error changes the outputs."""
    keras.utils.set_random_seed(3)
    trunk = build_trunk(Settings(), len(CLASSES))
    for layer in trunk.layers:
        if layer.name.startswith("fused_norm"):
            layer.set_weights([keras.random.uniform(w.shape, 0.5, 1.5).numpy() for w in layer.get_weights()])
    return trunk


def _draw(path: Path, seed: list[int], colour: tuple[int, int, int]) -> None:
    """A small noisy picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 60, (48, 40, 3))
    Image.fromarray((noise + np.array(colour)).astype(np.uint8)).save(path)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only data set: three small noisy pictures per class and part, one colour per class."""
    data = tmp_path_factory.mktemp("drawn")
    for part_number, part in enumerate(PARTS):
        for label, name in enumerate(CLASSES):
            for number in range(3):
                colour = (18 * label, 190 - 18 * label, 90)
                _draw(data / part / name / f"{part}-{name}-{number}.png", [part_number, label, number], colour)
    return data


@pytest.fixture(scope="session")
def insects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only data set of somebody's own: a folder for each of two classes, and no parts."""
    data = tmp_path_factory.mktemp("own") / "bees-and-wasps"
    for label, name in enumerate(("bee", "wasp")):
        for number in range(40):
            _draw(data / name / f"{name}-{number}.png", [label, number], (150 * label, 190 - 150 * label, 90))
    return data
