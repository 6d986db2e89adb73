"""Shared fixtures. No test needs the real photos."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from training.model import build_trunk
from training.settings import CLASSES
from training.split import PARTS


@pytest.fixture(scope="session")
def trunk() -> keras.Model:
    """An untrained trunk with random batch normalisation, so that a folding error changes the outputs."""
    keras.utils.set_random_seed(3)
    trunk = build_trunk()
    for layer in trunk.layers:
        if layer.name.startswith("fused_norm"):
            layer.set_weights([keras.random.uniform(w.shape, 0.5, 1.5).numpy() for w in layer.get_weights()])
    return trunk


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only data set: three small noisy pictures per class and part, one colour per class."""
    data = tmp_path_factory.mktemp("drawn")
    for part_number, part in enumerate(PARTS):
        for label, name in enumerate(CLASSES):
            folder = data / part / name
            folder.mkdir(parents=True)
            for number in range(3):
                noise = np.random.default_rng([part_number, label, number]).integers(0, 60, (48, 40, 3))
                pixels = noise + np.array([18 * label, 190 - 18 * label, 90])
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{part}-{name}-{number}.png")
    return data
