"""EfficientNet-Lite: its size, its input, and weights from a checkpoint."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import pretrained
from training.data import load_pooled, normalise, read_pixels
from training.efficientnet import POOLED, SCALES, build_efficientnet
from training.head_start import start_head
from training.model import build_served, load_start
from training.pretrained import (
    EPSILON,
    FALLBACK,
    LICENCE,
    PACKAGES,
    PREFERRED,
    RELEASE,
    is_available,
    load_pretrained,
    origin,
    weights_file,
    with_architecture,
)
from training.settings import settings_for
from training.shrink import linear_resize, linear_weights, network_input
from training.split import split_photos

from .checkpoints import State, random_state, write_checkpoint

LITE0 = "efficientnet-lite0"
REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"


@pytest.mark.parametrize(("architecture", "published"), [(LITE0, 4_652_008), ("efficientnet-lite2", 6_092_072)])
def test_has_the_published_number_of_parameters(architecture: str, published: int) -> None:
    """With ImageNet's 1000 classes, and one number a channel more for batch normalisation, which has two."""
    network = build_efficientnet(architecture, 1000, 0.2)
    channels = sum(layer.bias.shape[0] for layer in network.layers if hasattr(layer, "strides"))
    assert network.count_params() + channels == published


def test_takes_photos_as_the_gateway_sends_them() -> None:
    """x / 127.5 - 1 becomes (x - 127) / 128, the scale of its pretrained weights."""
    network = build_efficientnet(LITE0, 5, 0.2)
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 256, 1).repeat(3, 3)
    np.testing.assert_allclose(network.layers[1](normalise(pixels)), (pixels - 127.0) / 128, atol=1e-6)
    assert network(np.zeros((2, 64, 64, 3), np.float32)).shape == (2, 5)


@pytest.fixture(scope="module")
def state() -> State:
    """Random weights of Lite0."""
    return random_state(LITE0)


@pytest.fixture(scope="module")
def checkpoint(state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with them."""
    file = tmp_path_factory.mktemp("weights") / "lite0.pth"
    write_checkpoint(file, state)
    return file


@pytest.fixture(scope="module")
def network(checkpoint: Path) -> keras.Model:
    """Lite0 of ten classes with these weights."""
    keras.utils.set_random_seed(2)
    network = build_efficientnet(LITE0, 10, 0.2)
    load_start(network, settings_for(LITE0, weights=str(checkpoint)))
    return network


def _normalised(x: tf.Tensor, state: State, name: str) -> tf.Tensor:
    values = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "bias", "weight"))
    return tf.nn.batch_normalization(x, *values, EPSILON)


@pytest.mark.parametrize(
    ("layer", "convolution", "norm", "stride"),
    [("stem", "_conv_stem", "_bn0", 2), ("block5_expand", "_blocks.5._expand_conv", "_blocks.5._bn0", 1)],
)
def test_batch_normalisation_is_part_of_the_convolution(
    network: keras.Model, state: State, layer: str, convolution: str, norm: str, stride: int
) -> None:
    """The layer's output is that of both."""
    kernel = state[f"{convolution}.weight"].transpose(2, 3, 1, 0)
    images = np.random.default_rng(0).normal(0, 1, (2, 12, 12, kernel.shape[2])).astype(np.float32)
    wanted = _normalised(tf.nn.conv2d(images, kernel, stride, "SAME"), state, norm)
    np.testing.assert_allclose(network.get_layer(layer)(images), wanted, atol=1e-4)


@pytest.mark.parametrize(("number", "stride"), [(0, 1), (3, 2)])
def test_depthwise_kernels_keep_their_channels(network: keras.Model, state: State, number: int, stride: int) -> None:
    """Each channel has its own kernel."""
    place = f"_blocks.{number}"
    kernel = state[f"{place}._depthwise_conv.weight"].transpose(2, 3, 0, 1)
    images = np.random.default_rng(0).normal(0, 1, (2, 12, 12, kernel.shape[2])).astype(np.float32)
    strides = (1, stride, stride, 1)
    wanted = _normalised(tf.nn.depthwise_conv2d(images, kernel, strides, "SAME"), state, f"{place}._bn1")
    np.testing.assert_allclose(network.get_layer(f"block{number}_depthwise")(images), wanted, atol=1e-4)


def test_every_layer_but_the_head_is_loaded(network: keras.Model, checkpoint: Path) -> None:
    """The head has other classes."""
    other = build_efficientnet(LITE0, 10, 0.2)
    load_pretrained(other, LITE0, checkpoint)
    same = [np.array_equal(a, b) for a, b in zip(other.get_weights(), network.get_weights(), strict=True)]
    assert all(same[:-2]) and not same[-2]


def test_weights_of_another_size_are_refused(checkpoint: Path, state: State, tmp_path: Path) -> None:
    """Too few tensors, too many, and others. The error names the first."""
    larger = build_efficientnet("efficientnet-lite2", 10, 0.2)
    with pytest.raises(ValueError, match=r"lite0\.pth: (has no|has|does not fit) .*efficientnet-lite2"):
        load_pretrained(larger, "efficientnet-lite2", checkpoint)
    small, file = build_efficientnet(LITE0, 10, 0.2), tmp_path / "other.pth"
    write_checkpoint(file, {**state, "extra.weight": state["_fc.bias"]})
    with pytest.raises(ValueError, match=r"other\.pth: has extra\.weight, which efficientnet-lite0 has not"):
        load_pretrained(small, LITE0, file)
    write_checkpoint(file, {name: value for name, value in state.items() if name != "_bn0.running_var"})
    with pytest.raises(ValueError, match=r"other\.pth: has no _bn0\.running_var, which efficientnet-lite0 needs"):
        load_pretrained(small, LITE0, file)
    write_checkpoint(file, {**state, "_conv_stem.weight": state["_conv_stem.weight"][:, :, :2]})
    with pytest.raises(ValueError, match=r"other\.pth: does not fit efficientnet-lite0: stem: "):
        load_pretrained(small, LITE0, file)


def test_training_sees_photos_as_the_served_graph(network: keras.Model, drawn: Path) -> None:
    """The whole photo, resized bilinearly."""
    settings = settings_for(LITE0, sides=((1.0, 64),))
    photo = split_photos(drawn).test[0]
    pixels = read_pixels(photo.path)[np.newaxis]
    wanted = network(network_input(tf.constant(pixels), 64), training=False)
    np.testing.assert_allclose(
        build_served(network, settings)(normalise(pixels), training=False), wanted, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(("before", "after"), [(299, 224), (7, 19)])
def test_linear_resizing_is_that_of_tensorflow(before: int, after: int) -> None:
    """In both directions, as a matrix and as weights of the nearest pixels, but for rounding."""
    image = np.random.default_rng(0).normal(0, 1, (1, before, before, 1)).astype(np.float32)
    weights = linear_weights(before, after)
    wanted = tf.image.resize(image, (after, after))
    np.testing.assert_allclose(weights @ image[0, :, :, 0] @ weights.T, wanted[0, :, :, 0], atol=1e-3)
    np.testing.assert_allclose(linear_resize(tf.constant(image), after), wanted, atol=1e-3)


def test_the_head_starts_as_a_classifier_of_the_features(network: keras.Model, drawn: Path) -> None:
    """Colours tell the drawn classes apart even with random features. Nothing else is changed."""
    split = split_photos(drawn)
    photos = load_pooled(split.train, split.classes, 1, 299)
    started = keras.models.clone_model(network)
    started.set_weights(network.get_weights())
    start_head(started, photos, 64, tf.ones(10), 0.1)
    guesses = started(network_input(photos.pixels, 64), training=False).numpy().argmax(1)
    assert (guesses == photos.labels).mean() > 0.8
    same = [np.array_equal(a, b) for a, b in zip(started.get_weights(), network.get_weights(), strict=True)]
    assert all(same[:-2]) and not any(same[-2:])


def test_without_the_package_another_network_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so, and what to install. An architecture that was asked for is an error."""

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pretrained, "distribution", missing)
    assert with_architecture({"seed": 2}) == {"seed": 2, "architecture": FALLBACK}
    command = f"pip install {PACKAGES[PREFERRED]}=={RELEASE}"
    assert command in (said := capsys.readouterr().out) and said.count("\n") == 1
    assert with_architecture({"architecture": LITE0}) == {"architecture": LITE0}
    with pytest.raises(ValueError, match=f"efficientnet-lite2 needs the package .*: {command}"):
        weights_file(PREFERRED)


def test_pretrained_weights_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the package is installed. Without a word."""
    monkeypatch.setattr(pretrained, "is_available", lambda architecture: True)
    assert with_architecture({}) == {"architecture": PREFERRED}
    assert capsys.readouterr().out == ""


def test_the_release_is_the_one_in_requirements() -> None:
    """A person without it is told which one to install."""
    lines = REQUIREMENTS.read_text().splitlines()
    assert {f"{package}=={RELEASE}" for package in PACKAGES.values()} <= set(lines)
    assert SCALES.keys() == PACKAGES.keys()


@pytest.mark.parametrize("architecture", list(PACKAGES))
def test_the_packages_have_what_is_said_about_them(architecture: str) -> None:
    """Their licence, and weights that fit the network and give different features for different photos."""
    if not is_available(architecture):
        pytest.skip(f"{PACKAGES[architecture]} is not installed")
    known = origin(architecture)
    files = distribution(known.package).files or []
    text = next(file for file in files if file.name == "LICENSE").read_text()
    assert all(words in text for words in ("Apache License, Version 2.0", LICENCE.split(", ")[1]))
    assert known.version == RELEASE and known.file.startswith(architecture) and known.file[-12:-4] == known.sha256[:8]
    loaded = build_efficientnet(architecture, 10, 0.2)
    load_start(loaded, settings_for(architecture))
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    features = keras.Model(loaded.input, loaded.get_layer(POOLED).output)(noise).numpy()
    assert np.isfinite(features).all() and features.max() > 0.5 and np.abs(features[0] - features[1]).max() > 0.1
