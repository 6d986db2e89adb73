"""The networks' shapes, sizes and initial weights, and folding."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

from training.data import normalise, pooled
from training.fold import fold
from training.model import FusedNorm, build_served, build_trunk, load_start
from training.settings import Settings, settings_for
from training.xception import BASE, head_variables


def test_parameters_are_within_bounds(trunk: keras.Model) -> None:
    """Small enough to commit and to serve on a CPU."""
    assert 1_000_000 < trunk.count_params() < 3_000_000


def test_takes_299_pixels_and_returns_ten_logits(trunk: keras.Model) -> None:
    """The batch size is variable, and every pool works."""
    for pool, side in ((1, 299), (2, 149), (3, 99)):
        served = build_served(trunk, Settings(pool=pool, sides=((1.0, side),)))
        assert served.input_shape == (None, 299, 299, 3)
        assert served.output_shape == (None, 10)


def test_serves_the_centre_with_the_last_side_of_training(trunk: keras.Model) -> None:
    """Crop and pooling are those that data.py uses for validation."""
    pixels = np.random.default_rng(0).integers(0, 256, (299, 299, 3)).astype(np.uint8)
    # Multiples of four, so that pooling does not round.
    pixels = np.repeat(np.repeat(pixels[:149, :149] // 4 * 4, 2, 0), 2, 1)
    pixels = np.pad(pixels, ((1, 0), (1, 0), (0, 0)))
    wanted = trunk(normalise(pooled(pixels, 2, 144))[np.newaxis], training=False).numpy()
    served = build_served(trunk, Settings(pool=2))(normalise(pixels)[np.newaxis], training=False)
    np.testing.assert_allclose(served, wanted, rtol=1e-3, atol=1e-5)


def test_the_trunk_accepts_any_side(trunk: keras.Model) -> None:
    """Training starts with smaller pictures."""
    assert trunk(np.zeros((2, 72, 72, 3), np.float32)).shape == (2, 10)


def test_folding_changes_no_score(trunk: keras.Model) -> None:
    """The folded model has no batch normalisation."""
    folded = fold(trunk)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 99, 99, 3)).astype(np.float32)
    wanted = trunk(pictures, training=False).numpy()
    assert not [layer for layer in folded.layers if isinstance(layer, FusedNorm)]
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(
        folded(pictures, training=False).numpy(), wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max()
    )


def test_fused_norm_matches_keras() -> None:
    """One training step of each with the same inputs."""
    pictures = np.random.default_rng(0).normal(3, 2, (8, 5, 5, 4)).astype(np.float32)
    ours, keras_own = FusedNorm(momentum=0.5), keras.layers.BatchNormalization(momentum=0.5)
    np.testing.assert_allclose(ours(pictures, training=True), keras_own(pictures, training=True), atol=1e-4)
    np.testing.assert_allclose(ours.moving_mean, keras_own.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, keras_own.moving_variance, rtol=1e-2)


def test_width_scales_the_channels(trunk: keras.Model) -> None:
    """Half the width has about a quarter of the weights. The output still has ten classes."""
    half = build_trunk(Settings(width=0.5), 10)
    assert 0.2 < half.count_params() / trunk.count_params() < 0.35
    assert half.output_shape == (None, 10)


def test_initial_weights_are_loaded_from_an_earlier_run(trunk: keras.Model, tmp_path: Path) -> None:
    """The weights are equal after saving and loading."""
    file = tmp_path / "earlier.weights.h5"
    trunk.save_weights(file)
    started = build_trunk(Settings(), 10)
    load_start(started, Settings(weights=str(file)))
    assert all(np.array_equal(a, b) for a, b in zip(started.get_weights(), trunk.get_weights(), strict=True))


def test_missing_weights_are_named(trunk: keras.Model) -> None:
    """The error names the path."""
    with pytest.raises(ValueError, match="--weights nowhere: no such file"):
        load_start(trunk, Settings(weights="nowhere"))


@pytest.fixture(scope="module")
def xception() -> keras.Model:
    """The network with 20.8 million random weights."""
    keras.utils.set_random_seed(4)
    return build_trunk(settings_for("xception"), 10)


def test_xception_matches_the_course(xception: keras.Model) -> None:
    """The base of keras.applications and the course's head with 100 units."""
    assert xception.get_layer(BASE).count_params() == 20_861_480
    assert xception.count_params() == 20_861_480 + 2048 * 100 + 100 + 100 * 10 + 10
    assert [variable.shape for variable in head_variables(xception)] == [(2048, 100), (100,), (100, 10), (10,)]


def _save(xception: keras.Model, file: Path) -> None:
    """Saves a whole model, the base, or, like keras.applications' downloads, the base's weights in Keras 2's format."""
    saved = xception if file.stem == "whole" else xception.get_layer(BASE)
    if file.stem == "imagenet":
        with h5py.File(file, "w") as group:
            save_weights_to_hdf5_group(group, saved)
    else:
        saved.save(file)


@pytest.mark.parametrize("name", ["whole.keras", "whole.h5", "base.keras", "imagenet.h5"])
def test_xception_loads_local_files(xception: keras.Model, tmp_path: Path, name: str) -> None:
    """The head is loaded if the file has one."""
    _save(xception, tmp_path / name)
    started = build_trunk(settings_for("xception"), 10)
    load_start(started, settings_for("xception", weights=str(tmp_path / name)))
    same = [np.array_equal(a, b) for a, b in zip(started.get_weights(), xception.get_weights(), strict=True)]
    assert all(same[:-4]) and all(same) == name.startswith("whole")


def test_weights_of_another_network_are_refused(xception: keras.Model, trunk: keras.Model, tmp_path: Path) -> None:
    """The error names the file."""
    trunk.save(tmp_path / "small.keras")
    with pytest.raises(ValueError, match=r"small.keras: contains no Xception"):
        load_start(xception, settings_for("xception", weights=str(tmp_path / "small.keras")))


def test_imagenet_without_network_access_asks_for_a_file(
    xception: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras' download from an unreachable address, with an empty cache."""
    monkeypatch.setattr("keras.src.applications.xception.WEIGHTS_PATH_NO_TOP", "http://127.0.0.1:9/weights.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(ValueError, match=r"--weights imagenet: download failed .* use a local file"):
        load_start(xception, settings_for("xception"))
