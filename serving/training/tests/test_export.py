"""The exported files are what TF-Serving, ONNX Runtime and the gateway expect."""

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image

from training.agreement import largest_difference
from training.data import Photo, normalise, read_pixels
from training.efficientnet import build_efficientnet
from training.evaluate import sizes
from training.export import PIXEL_SIGNATURE, export, prove
from training.parity import PICTURES, draw
from training.served import onnx_file, onnx_scores, tensorflow_scores
from training.settings import SIGNATURE, STORED, Settings, settings_for

TEMPERATURE = 1.7


@pytest.fixture(scope="module")
def version(trunk: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported version."""
    folder = tmp_path_factory.mktemp("model") / "1"
    export(trunk, folder, "clothes", Settings(), TEMPERATURE)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    """The parity pictures, a noise picture and a white one."""
    for name in PICTURES:
        (tmp_path / name).write_bytes(draw(name))
    noise = np.random.default_rng(0).integers(0, 256, (299, 299, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    Image.new("RGB", (299, 299), "white").save(tmp_path / "white.png")
    return [Photo(path, 0) for path in sorted(tmp_path.iterdir())]


def test_both_signatures_agree_in_both_formats(version: Path, photos: list[Photo]) -> None:
    """Batches of different sizes are compared."""
    assert prove(version, photos) < 1e-4
    assert prove(version, photos * 2) < 1e-4


def test_a_difference_names_the_two_formats(version: Path, photos: list[Photo], tmp_path: Path) -> None:
    """One of the four has another last layer."""
    other = shutil.copytree(version, tmp_path / "other" / "1")
    model = onnx.load(onnx_file(other, PIXEL_SIGNATURE))
    last = next(weight for weight in model.graph.initializer if list(weight.dims)[-1:] == [10])
    last.raw_data = (1.5 * onnx.numpy_helper.to_array(last)).tobytes()
    onnx.save(model, onnx_file(other, PIXEL_SIGNATURE))
    with pytest.raises(ValueError, match=r"SavedModel serving_default and ONNX serving_uint8 differ by .*, allowed"):
        prove(other, photos[:1])


def test_nan_is_a_difference() -> None:
    """NaN compares as neither greater nor smaller."""
    with pytest.raises(ValueError, match="one and other differ by nan"):
        largest_difference({"one": np.zeros(2), "other": np.array([0, np.nan])})


def test_temperature_divides_the_logits(version: Path, trunk: keras.Model, photos: list[Photo]) -> None:
    """Exactly once."""
    pixels = np.asarray(Image.open(photos[-1].path).convert("RGB").resize((297, 297)))[np.newaxis]
    whole = np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pooled = normalise(whole)[:, 1:298, 1:298].reshape(1, 99, 3, 99, 3, 3).mean((2, 4))
    raw = trunk(pooled, training=False).numpy()
    assert np.abs(raw).max() > 0.01
    np.testing.assert_allclose(tensorflow_scores(version)(normalise(whole)), raw / TEMPERATURE, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("signature", "dtype"), [(SIGNATURE, tf.float32), (PIXEL_SIGNATURE, tf.uint8)])
def test_signature_has_one_input_and_one_output(version: Path, signature: str, dtype: tf.DType) -> None:
    """They have the names that model.yaml and the gateway use."""
    loaded = tf.saved_model.load(str(version)).signatures[signature]
    inputs, outputs = loaded.structured_input_signature[1], loaded.structured_outputs
    assert {key: (spec.shape.as_list(), spec.dtype) for key, spec in inputs.items()} == {
        "image": ([None, 299, 299, 3], dtype)
    }
    assert {key: spec.shape.as_list() for key, spec in outputs.items()} == {"logits": [None, 10]}


@pytest.mark.parametrize(("signature", "kind"), [(SIGNATURE, "tensor(float)"), (PIXEL_SIGNATURE, "tensor(uint8)")])
def test_onnx_has_the_same_names_and_a_variable_batch_size(version: Path, signature: str, kind: str) -> None:
    """The layout is the same too."""
    session = onnxruntime.InferenceSession(str(onnx_file(version, signature)))
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        ("image", kind, ["batch", 299, 299, 3])
    ]
    assert [(value.name, value.shape) for value in session.get_outputs()] == [("logits", ["batch", 10])]


def test_pixel_graph_uses_the_weights_in_model_onnx(version: Path) -> None:
    """Its own file is small. The shared weights are byte-identical."""
    file = onnx_file(version, PIXEL_SIGNATURE)
    body = onnx_file(version).read_bytes()
    outside = [weight for weight in onnx.load(file, load_external_data=False).graph.initializer if weight.external_data]
    whole = {weight.name: weight.raw_data for weight in onnx.load(file).graph.initializer}
    assert sum(len(whole[weight.name]) for weight in outside) > 0.95 * len(body)
    for weight in outside:
        place = {entry.key: entry.value for entry in weight.external_data}
        start = int(place["offset"])
        assert place["location"] == "model.onnx"
        assert body[start : start + int(place["length"])] == whole[weight.name]
    assert file.stat().st_size < 60_000
    assert onnx_scores(version, signature=PIXEL_SIGNATURE)(np.zeros((2, 299, 299, 3), np.uint8)).shape == (2, 10)


def test_float16_halves_both_formats(tmp_path: Path, photos: list[Photo]) -> None:
    """Large weights are rounded, and both formats and signatures still agree. Nothing is computed in float16."""
    trunk = build_efficientnet("efficientnet-lite0", 10, 0.2)
    settings = settings_for("efficientnet-lite0", sides=((1.0, 64),))
    written = {}
    for kind in STORED:
        export(trunk, tmp_path / kind / "1", "clothes", replace(settings, stored=kind))
        written[kind] = sizes(tmp_path / kind / "1")
    for name in ("saved_model", "onnx"):
        assert written["float16"][name] < 0.55 * written["float32"][name]
    halved = tmp_path / "float16" / "1"
    assert prove(halved, photos[:4]) < 1e-4
    weights = onnx.load(onnx_file(halved)).graph.initializer
    large = [weight for weight in weights if np.prod(weight.dims) > 1024]
    assert len(large) > 40 and {weight.data_type for weight in large} == {onnx.TensorProto.FLOAT16}
    tensor = normalise(read_pixels(photos[0].path))[np.newaxis]
    rounded, whole = (tensorflow_scores(tmp_path / kind / "1")(tensor) for kind in ("float16", "float32"))
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(rounded, whole, atol=0.02 * np.abs(whole).max())
    assert not np.array_equal(rounded, whole)


def test_only_the_expected_files_are_written(version: Path) -> None:
    """Each format has at most 12 MB, without optimiser state."""
    names = {str(file.relative_to(version)) for file in version.rglob("*") if file.is_file()}
    shard = "variables/variables.data-00000-of-00001"
    assert names == {
        "saved_model.pb", "fingerprint.pb", "variables/variables.index", shard,
        "model.onnx", "serving_uint8.onnx", "explain.onnx", "assets.extra/tf_serving_warmup_requests",
    }  # fmt: skip
    assert (version / "model.onnx").stat().st_size < 12e6
    assert (version / shard).stat().st_size < 12e6
