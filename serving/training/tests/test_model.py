"""The network's shape, its size, and what folding leaves unchanged."""

import keras
import numpy as np

from training.fold import fold
from training.model import FusedNorm, build_served


def test_parameters_stay_within_bounds(trunk: keras.Model) -> None:
    """Small enough to commit and to serve without a GPU."""
    assert 1_000_000 < trunk.count_params() < 3_000_000


def test_takes_299_pixels_and_gives_ten_logits(trunk: keras.Model) -> None:
    """In any number of photos."""
    served = build_served(trunk)
    assert served.input_shape == (None, 299, 299, 3)
    assert served.output_shape == (None, 10)


def test_any_side_fits_the_trunk(trunk: keras.Model) -> None:
    """Training starts on smaller pictures."""
    assert trunk(np.zeros((2, 72, 72, 3), np.float32)).shape == (2, 10)


def test_folding_changes_no_score(trunk: keras.Model) -> None:
    """And leaves no norm."""
    folded = fold(trunk)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 99, 99, 3)).astype(np.float32)
    wanted = trunk(pictures, training=False).numpy()
    assert not [layer for layer in folded.layers if isinstance(layer, FusedNorm)]
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(
        folded(pictures, training=False).numpy(), wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max()
    )


def test_fused_norm_learns_the_mean_as_keras_does() -> None:
    """One step of each from the same start."""
    pictures = np.random.default_rng(0).normal(3, 2, (8, 5, 5, 4)).astype(np.float32)
    ours, keras_own = FusedNorm(momentum=0.5), keras.layers.BatchNormalization(momentum=0.5)
    np.testing.assert_allclose(ours(pictures, training=True), keras_own(pictures, training=True), atol=1e-4)
    np.testing.assert_allclose(ours.moving_mean, keras_own.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, keras_own.moving_variance, rtol=1e-2)
