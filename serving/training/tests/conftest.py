"""Shared parts of the tests; none of them needs the photos."""

import keras
import pytest

from training.model import build_trunk


@pytest.fixture(scope="session")
def trunk() -> keras.Model:
    """An untrained trunk whose norms are not the identity, so that folding them wrongly would show."""
    keras.utils.set_random_seed(3)
    trunk = build_trunk()
    for layer in trunk.layers:
        if layer.name.startswith("fused_norm"):
            layer.set_weights([keras.random.uniform(w.shape, 0.5, 1.5).numpy() for w in layer.get_weights()])
    return trunk
