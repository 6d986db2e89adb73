"""Models of several formats are converted to model folders with equal outputs."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import yaml
from keras import layers
from PIL import Image

from training.conversion import Conversion, Converted, convert
from training.convert import main
from training.keras_file import load_keras
from training.model_file import ImageOptions, SignatureSpec, read_model_file
from training.parity import PICTURES
from training.pictures import SCALES, reader_of, to_dtype
from training.served import Tensors, onnx_call, tensorflow_call

from .keras_2 import save_as_keras_2

OPTIONS = ImageOptions(["cat", "dog", "fox"], "tf")
PICTURES_WITHOUT_LOSS = [name for name in PICTURES if not name.endswith(".jpg")]


def _randomise(model: keras.Model) -> None:
    """Sets random weights, so that outputs differ clearly between inputs."""
    chance = np.random.default_rng(5)
    for weight in model.weights:
        flat = len(weight.shape) == 1
        weight.assign(chance.uniform(0.5, 1.5, weight.shape) if flat else chance.normal(0, 0.3, weight.shape))


def _head(base: keras.Model, side: int, outputs: int) -> keras.Model:
    """The original course's head: a frozen base, one inner layer, dropout, logits, with the original names."""
    base.trainable = False
    inputs = keras.Input((side, side, 3), name="input_8")
    vector = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    inner = layers.Dropout(0.2)(layers.Dense(6, activation="relu")(vector))
    return keras.Model(inputs, layers.Dense(outputs, name="dense_7")(inner))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A small model with every kind of layer that Xception has."""
    inputs = keras.Input((None, None, 3), name="input_7")
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, strides=2, use_bias=False)(inputs)))
    shortcut = layers.BatchNormalization()(layers.Conv2D(8, 1, strides=2, padding="same", use_bias=False)(x))
    x = layers.BatchNormalization()(layers.SeparableConv2D(8, 3, padding="same", use_bias=False)(x))
    x = layers.Add()([layers.MaxPooling2D(3, strides=2, padding="same")(x), shortcut])
    model = _head(keras.Model(inputs, x, name="base"), 32, 3)
    _randomise(model)
    return model


def _export(model: keras.Model, path: Path) -> None:
    model.export(path, verbose=False)


SOURCES: dict[str, Callable[[keras.Model, Path], None]] = {
    "keras-2.h5": save_as_keras_2,
    "keras-3.h5": lambda model, path: model.save(path),
    "model.keras": lambda model, path: model.save(path),
    "saved-model": _export,
}


@pytest.mark.parametrize("source", SOURCES)
def test_outputs_match_the_source(model: keras.Model, source: str, tmp_path: Path) -> None:
    """Both formats give the source's logits. model.yaml, warm-up and parity samples are written."""
    SOURCES[source](model, tmp_path / source)
    assert convert(Conversion(tmp_path / source, "pets", tmp_path / "models", image=OPTIONS)).difference < 1e-4
    folder = tmp_path / "models" / "pets"
    assert [entry.name for entry in folder.parent.iterdir()] == ["pets"]
    assert sorted(entry.name for entry in folder.iterdir()) == ["1", "model.yaml", "parity"]
    assert (folder / "1" / "assets.extra" / "tf_serving_warmup_requests").stat().st_size < 500
    described = yaml.safe_load((folder / "model.yaml").read_text())
    assert (described["classes"], described["scores"]) == (OPTIONS.classes, "logits")
    assert (described["image"]["input"], described["image"]["size"]) == ("input_8", [32, 32])
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    wanted = model(picture, training=False).numpy()
    assert np.abs(wanted).max() > 0.1
    for call in (tensorflow_call(folder / "1"), onnx_call(folder / "1")):
        ((output, scores),) = call({"input_8": picture}).items()
        assert output == ("output_0" if source == "saved-model" else "dense_7")
        np.testing.assert_allclose(scores, wanted, atol=1e-4)
    assert {file.name for file in (folder / "parity").iterdir()} == {*PICTURES, "tensors.json", "1.json"}


def _dense(outputs: int, activation: str | None, loss: Any = None) -> keras.Model:
    """A model of 8 x 8 pictures with one layer."""
    inputs = keras.Input((8, 8, 3), name="photo")
    model = keras.Model(inputs, layers.Dense(outputs, activation=activation)(layers.Flatten()(inputs)))
    if loss:
        model.compile(loss=loss)
    return model


def _converted(model: keras.Model, folder: Path, classes: str, source: str = "model.keras", **given: str) -> Converted:
    SOURCES[source](model, folder / source)
    options = ImageOptions(classes.split(","), "div255", **given)
    return convert(Conversion(folder / source, "pets", folder, image=options))


LAST_LAYERS: dict[str, tuple[int, str | None, Any, str]] = {
    "softmax": (3, "softmax", None, "probabilities"),
    "one sigmoid": (1, "sigmoid", None, "probabilities"),
    "sigmoids": (3, "sigmoid", None, "probabilities"),
    "log-softmax": (3, "log_softmax", None, "logits"),
    "none": (3, None, "sparse_categorical_crossentropy", "logits"),
    "one, none": (1, None, keras.losses.BinaryCrossentropy(from_logits=True), "logits"),
    "independent, none": (3, None, keras.losses.BinaryCrossentropy(from_logits=True), "sigmoid-logits"),
    "a price": (1, None, "mse", "values"),
    "relu": (3, "relu", None, "values"),
}


@pytest.mark.parametrize(("outputs", "activation", "loss", "word"), LAST_LAYERS.values(), ids=LAST_LAYERS)
def test_a1_scores_follow_the_last_activation(
    outputs: int, activation: str | None, loss: Any, word: str, tmp_path: Path
) -> None:
    """Without an activation they follow the loss. One neuron may stand for two classes."""
    classes = "bee,wasp,fly" if outputs == 3 else "bee,wasp" if word != "values" else "price"
    _converted(_dense(outputs, activation, loss), tmp_path, classes)
    assert yaml.safe_load((tmp_path / "pets" / "model.yaml").read_text())["scores"] == word


@pytest.mark.parametrize(
    ("activation", "word"), [("softmax", "probabilities"), ("sigmoid", "probabilities"), (None, "logits")]
)
def test_a1_scores_of_a_saved_model_follow_its_graph(activation: str | None, word: str, tmp_path: Path) -> None:
    """It has no layers, only operations."""
    _converted(_dense(2, activation), tmp_path, "bee,wasp", "saved-model")
    assert f"scores: {word}\n" in (tmp_path / "pets" / "model.yaml").read_text()


def test_a1_a_softmax_over_one_number_is_refused(tmp_path: Path) -> None:
    """It is 1 for every picture."""
    with pytest.raises(ValueError, match="softmax over one number, which is always 1"):
        _converted(_dense(1, "softmax"), tmp_path, "bee,wasp")


def test_a1_given_scores_and_the_mean_of_two_softmaxes(tmp_path: Path) -> None:
    """An option wins. Numbers that add up to one are probabilities, whatever made them."""
    inputs = keras.Input((8, 8, 3), name="photo")
    heads = [layers.Dense(3, activation="softmax")(layers.Flatten()(inputs)) for _ in range(2)]
    model = keras.Model(inputs, layers.Average()(heads))
    assert _converted(model, tmp_path, "a,b,c").described["scores"] == "probabilities"
    assert _converted(model, tmp_path, "a,b,c", scores="values").described["scores"] == "values"


def test_a2_class_names_stay_text(tmp_path: Path) -> None:
    """They are quoted, so that no reader takes one for a number or a boolean."""
    _converted(_dense(4, "softmax"), tmp_path, "00000,1e3,True,4006381333931")
    text = (tmp_path / "pets" / "model.yaml").read_text()
    assert 'classes: ["00000", "1e3", "True", "4006381333931"]\n' in text
    (tmp_path / "own.yaml").write_text("name: pets\nclasses: [00000, 1e3, True, 08]\n")
    signature = SignatureSpec({}, {"scores": tf.TensorSpec([None, 4])})
    assert read_model_file(tmp_path / "own.yaml", "pets", signature)["classes"] == ["00000", "1e3", "True", "08"]


def test_a4_tensors_that_follow_model_yaml_say_so(tmp_path: Path) -> None:
    """The gateway calls them unproven."""
    _converted(_dense(2, None), tmp_path, "bee,wasp")
    written = json.loads((tmp_path / "pets" / "parity" / "tensors.json").read_text())
    described = yaml.safe_load((tmp_path / "pets" / "model.yaml").read_text())
    assert (written["source"], written["image"]) == ("model.yaml", described["image"])


def test_a4_converting_again_follows_a_corrected_model_yaml(tmp_path: Path) -> None:
    """The correction and its comments stay, tensors and scores are new, the version is untouched."""
    model, parity = _dense(2, None), tmp_path / "pets" / "parity"
    _converted(model, tmp_path, "bee,wasp")
    before = [(parity / name).read_text() for name in ("tensors.json", "1.json")]
    version = (tmp_path / "pets" / "1" / "saved_model.pb").stat()
    file = tmp_path / "pets" / "model.yaml"
    corrected = file.read_text().replace("resize: nearest", "resize: bilinear # as in train.py")
    file.write_text(corrected)
    converted = _converted(model, tmp_path, "bee,wasp")
    assert file.read_text() == corrected and converted.described["image"]["resize"] == "bilinear"
    after = [(parity / name).read_text() for name in ("tensors.json", "1.json")]
    assert all(new != old for new, old in zip(after, before, strict=True))
    assert (tmp_path / "pets" / "1" / "saved_model.pb").stat() == version
    assert sorted(entry.name for entry in (tmp_path / "pets").iterdir()) == ["1", "model.yaml", "parity"]


def test_a4_converting_again_keeps_a_confirmation(tmp_path: Path) -> None:
    """Of the same tensors. Others have to be confirmed again."""
    model, file = _dense(2, None), tmp_path / "pets" / "parity" / "tensors.json"
    _converted(model, tmp_path, "bee,wasp")
    file.write_text(file.read_text().replace('"source": "model.yaml"', '"source": "confirmed"'))
    _converted(model, tmp_path, "bee,wasp")
    assert json.loads(file.read_text())["source"] == "confirmed"
    _converted(model, tmp_path, "bee,wasp", resize="bilinear")
    assert json.loads(file.read_text())["source"] == "model.yaml"


def test_a4_converting_another_model_again_is_refused(tmp_path: Path) -> None:
    """A server keeps the weights of a version, so other weights need another number."""
    _converted(_dense(2, None), tmp_path, "bee,wasp")
    with pytest.raises(ValueError, match=r"pets: already exists, and its version 1 is another model .*models push"):
        _converted(_dense(2, None), tmp_path, "bee,wasp")


@pytest.mark.parametrize("resize", ["nearest", "bilinear", "bicubic", "area", "lanczos3"])
def test_f28_resizing_with_tensorflow_gets_parity_samples(resize: str, tmp_path: Path) -> None:
    """The tensors are those of tf.image.resize."""
    _converted(_dense(2, None), tmp_path, "bee,wasp", engine="tensorflow", resize=resize)
    parity = tmp_path / "pets" / "parity"
    with Image.open(parity / PICTURES_WITHOUT_LOSS[0]) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    wanted = tf.image.resize(pixels, (8, 8), resize).numpy().astype(np.float32) / np.float32(255)
    samples = {sample["file"]: sample for sample in json.loads((parity / "tensors.json").read_text())["samples"]}
    assert samples[PICTURES_WITHOUT_LOSS[0]]["sha256"] == hashlib.sha256(wanted.tobytes()).hexdigest()


def test_f28_a_resize_method_of_the_other_engine_is_refused(tmp_path: Path) -> None:
    """The error lists those of the engine."""
    with pytest.raises(ValueError, match="--resize area: engine pillow has nearest, box"):
        _converted(_dense(2, None), tmp_path, "bee,wasp", resize="area")


def _augmented() -> keras.Model:
    augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.2)], name="augmentation")
    inputs = keras.Input((8, 8, 3), name="photo")
    outputs = layers.Dense(2)(layers.Flatten()(layers.Rescaling(1 / 127.5, -1)(augmentation(inputs))))
    return keras.Model(inputs, outputs)


def test_f28_random_layers_do_nothing_when_serving(tmp_path: Path) -> None:
    """In a .keras file they are switched off."""
    assert _converted(_augmented(), tmp_path, "bee,wasp").difference < 1e-4


def test_f28_a_saved_model_that_augments_when_serving_is_refused(tmp_path: Path) -> None:
    """`model.export` keeps random layers: TF-Serving would answer differently each time."""
    with pytest.raises(ValueError, match=r"differently each time: it has random layers: random_flip.*random_rotation"):
        _converted(_augmented(), tmp_path, "bee,wasp", "saved-model")


def test_f28_the_command_says_what_is_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line names the file to check and the command that confirms it."""
    _dense(1, "sigmoid").save(tmp_path / "model.keras")
    given = f"convert --from {tmp_path}/model.keras --name pets --out {tmp_path} --classes bee,wasp --scale div255"
    monkeypatch.setattr("sys.argv", [*given.split(), "--resize", "bilinear", "--engine", "tensorflow"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert "scores: probabilities (the last layer is a sigmoid)" in lines
    assert "pictures: resize bilinear, engine tensorflow, scale div255; unproven until you confirm them" in lines
    assert re.match(r"next: compare .* in .*pets/model\.yaml .* models prove pets", lines[-1])


def test_all_signatures_and_types_are_kept(tmp_path: Path) -> None:
    """A SavedModel with two signatures and no image input gets no parity samples and no classes."""
    row = {"age": tf.TensorSpec([None], tf.float32, "age"), "months": tf.TensorSpec([None], tf.int64, "months")}

    def risk(age: tf.Tensor, months: tf.Tensor) -> dict[str, tf.Tensor]:
        score = age * 0.1 + tf.cast(months, tf.float32)
        return {"score": score, "high": score > 1}

    def age_only(age: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"twice": 2 * age}

    signatures = {
        "serving_default": tf.function(risk, input_signature=list(row.values())),
        "age_only": tf.function(age_only, input_signature=[row["age"]]),
    }
    tf.saved_model.save(tf.Module(), str(tmp_path / "source"), signatures=signatures)
    assert convert(Conversion(tmp_path / "source", "risk", tmp_path / "models")).difference < 1e-4
    folder = tmp_path / "models" / "risk"
    assert yaml.safe_load((folder / "model.yaml").read_text()) == {"name": "risk", "signature": "serving_default"}
    assert not (folder / "parity").exists()
    inputs: Tensors = {"age": np.array([3, 50], np.float32), "months": np.array([0, 2])}
    for call in (tensorflow_call(folder / "1"), onnx_call(folder / "1")):
        answer = call(inputs)
        assert answer["high"].tolist() == [False, True]
        np.testing.assert_allclose(answer["score"], [0.3, 7], rtol=1e-6)
    session = onnxruntime.InferenceSession(str(folder / "1" / "age_only.onnx"))
    assert [value.name for value in session.get_outputs()] == ["twice"]


def test_a_given_model_yaml_is_kept(model: keras.Model, tmp_path: Path) -> None:
    """Its comments are kept. Parity samples follow its preprocessing."""
    model.save(tmp_path / "model.keras")
    own = "# mine\nname: pets\nimage: {size: [32, 32], resize: bilinear, scale: torch}\nclasses: [a, b, c]\n"
    (tmp_path / "own.yaml").write_text(own)
    convert(Conversion(tmp_path / "model.keras", "pets", tmp_path / "models", tmp_path / "own.yaml"))
    assert (tmp_path / "models" / "pets" / "model.yaml").read_text() == own
    assert (tmp_path / "models" / "pets" / "parity" / "1.json").exists()


def test_unsupported_preprocessing_gets_no_parity_samples(model: keras.Model, tmp_path: Path) -> None:
    """The formats are still compared."""
    model.save(tmp_path / "model.keras")
    own = "name: pets\nimage: {size: [32, 32], fit: crop, scale: tf}\nclasses: [a, b, c]\n"
    (tmp_path / "own.yaml").write_text(own)
    given = Conversion(tmp_path / "model.keras", "pets", tmp_path / "models", tmp_path / "own.yaml")
    assert convert(given).difference < 1e-4
    assert not (tmp_path / "models" / "pets" / "parity").exists()


ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "no options": (
        {"image": ImageOptions()},
        r"an image model needs --classes a,b,c and --scale tf\|.*, or --model-yaml FILE",
    ),
    "no scale": ({"image": ImageOptions(OPTIONS.classes)}, r"an image model needs --scale"),
    "other classes": (
        {"image": ImageOptions(["a", "b"], "tf")},
        r"2 classes need one output .* dense_7 \(None, 3\)",
    ),
    "no file": ({"source": Path("none.h5")}, r"none\.h5: no such file or folder"),
    "not a model": ({"source": Path(__file__)}, r"must be \.keras, \.h5, \.hdf5 or a SavedModel folder"),
    "not a SavedModel": ({"source": Path(__file__).parent}, r"contains no saved_model\.pb"),
    "a hidden folder": ({"name": ".pets"}, r"--name \.pets: use letters"),
    "no model.yaml": ({"model_yaml": Path("none.yaml")}, r"none\.yaml: no such file"),
}


@pytest.mark.parametrize(("change", "line"), ERRORS.values(), ids=ERRORS)
def test_errors_are_one_line(model: keras.Model, change: dict[str, Any], line: str, tmp_path: Path) -> None:
    """No files are left behind."""
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=line) as raised:
        convert(Conversion(tmp_path / "model.keras", "pets", tmp_path / "models", image=OPTIONS)._replace(**change))
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "models").glob("*"))


YAMLS = {
    "pets: [": r"own\.yaml: while parsing",
    "name: other": r"own\.yaml: name must be pets",
    "name: pets\nimage: {size: [32, 32], scale: tf}": r"own\.yaml: image is for models with classes",
    "name: pets\nimage: {size: [32, 32]}\nclasses: [a, b, c]": r"image needs size, scale \(tf, .*\)",
    "name: pets\nimage: {size: [99, 99], scale: tf}\nclasses: [a, b, c]": r"image\.size \[99, 99\] does not fit",
}


@pytest.mark.parametrize(("text", "line"), YAMLS.items())
def test_a_model_yaml_that_does_not_fit_is_refused(model: keras.Model, text: str, line: str, tmp_path: Path) -> None:
    """The error names the field."""
    (tmp_path / "own.yaml").write_text(text)
    inputs = {spec.name: tf.TensorSpec(spec.shape, spec.dtype) for spec in model.inputs}
    signature = SignatureSpec(inputs, {"dense_7": tf.TensorSpec([None, 3])})
    with pytest.raises(ValueError, match=line):
        reader_of(read_model_file(tmp_path / "own.yaml", "pets", signature)["image"], inputs)


def test_a_layer_unknown_to_keras_is_named(tmp_path: Path) -> None:
    """In one line, without the config that Keras prints."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"Dense"', '"OwnLayer"')
    with pytest.raises(ValueError, match=r"model\.h5: Keras .* cannot read it: .*OwnLayer") as raised:
        load_keras(tmp_path / "model.h5")
    assert "\n" not in str(raised.value)


def test_an_operation_without_onnx_equivalent_is_an_error(tmp_path: Path) -> None:
    """No file is written that ONNX Runtime cannot load."""

    def unwrap(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.raw_ops.Betainc(a=x, b=x, x=x)}

    spec = tf.TensorSpec([None], tf.float32, "x")
    signatures = {"serving_default": tf.function(unwrap, input_signature=[spec])}
    tf.saved_model.save(tf.Module(), str(tmp_path / "source"), signatures=signatures)
    with pytest.raises(ValueError, match=r"signature serving_default: cannot be converted to ONNX: .*Betainc"):
        convert(Conversion(tmp_path / "source", "beta", tmp_path / "models"))


def test_damaged_files_and_files_with_only_weights_are_named(model: keras.Model, tmp_path: Path) -> None:
    """Before any file is written."""
    (tmp_path / "damaged.h5").write_bytes(b"not an HDF5 file")
    model.save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ValueError, match=r"damaged\.h5: Keras .* cannot read it"):
        load_keras(tmp_path / "damaged.h5")
    with pytest.raises(ValueError, match=r"only\.weights\.h5: .* only weights"):
        load_keras(tmp_path / "only.weights.h5")


def test_an_existing_model_is_not_replaced(tmp_path: Path) -> None:
    """It may be in use."""
    (tmp_path / "pets").mkdir()
    with pytest.raises(ValueError, match="pets: already exists"):
        convert(Conversion(tmp_path / "model.keras", "pets", tmp_path, image=OPTIONS))


def test_f26_own_mean_and_deviation_and_encoded_pictures(tmp_path: Path) -> None:
    """x / 255, minus the mean, by the deviation, in float32. A model that decodes by itself gets no samples."""
    Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / "flat.png")
    inputs = {"photo": tf.TensorSpec((None, 8, 8, 3), tf.float32)}
    reader = reader_of({"size": [8, 8], "scale": {"mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3]}}, inputs)
    assert reader is not None
    mean, std = (np.array(values, np.float32) for values in ([0.5, 0.4, 0.3], [0.1, 0.2, 0.3]))
    wanted = (np.array([10, 20, 30], np.float32) / np.float32(255) - mean) / std
    np.testing.assert_array_equal(reader.tensor(reader.pixels(tmp_path / "flat.png"))[0, 0], wanted)
    assert reader_of({"encoded": True}, {"bytes": tf.TensorSpec((None,), tf.string)}) is None


def test_a3_pixels_for_integers_are_rounded_and_clamped_as_by_keras() -> None:
    """NumPy's astype wraps 260 to 4."""
    values = np.array([260.6, -17.5, 0.5, 1.5, 254.5, 255.5], np.float32)
    np.testing.assert_array_equal(to_dtype(values, np.uint8), [255, 0, 0, 2, 254, 255])
    pixels = np.random.default_rng(1).choice([0, 255], (1, 9, 7, 3)).astype(np.uint8)
    wanted = keras.layers.Resizing(20, 16, "bicubic", dtype="uint8")(pixels).numpy()
    np.testing.assert_array_equal(to_dtype(tf.image.resize(pixels, (20, 16), "bicubic").numpy(), np.uint8), wanted)


@pytest.mark.parametrize("scale", SCALES)
def test_scales_match_keras(scale: str) -> None:
    """Bit for bit the same as preprocess_input and Rescaling."""
    pixels = np.arange(255, dtype=np.float32).reshape(5, 17, 3)
    rescaling = {"mul127": (1 / 127.5, -1), "mul255": (1 / 255, 0)}
    if scale in rescaling:
        wanted = keras.layers.Rescaling(*rescaling[scale])(pixels).numpy()
    elif scale in ("div255", "none"):
        wanted = pixels / np.float32(255 if scale == "div255" else 1)
    else:
        wanted = keras.applications.imagenet_utils.preprocess_input(pixels.copy(), mode=scale)
    np.testing.assert_array_equal(SCALES[scale](pixels), wanted)


@pytest.mark.slow
def test_converts_a_whole_xception_of_keras_2(tmp_path: Path) -> None:
    """The original's architecture with random weights and smaller pictures, saved as .h5 of Keras 2 and as .keras."""
    keras.utils.set_random_seed(4)
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(75, 75, 3))
    model = _head(base, 75, 10)
    save_as_keras_2(model, tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    classes = list("abcdefghij")
    assert (
        convert(Conversion(tmp_path / "model.h5", "xception", tmp_path, image=ImageOptions(classes, "tf"))).difference
        < 1e-4
    )
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 75, 75, 3)).astype(np.float32)
    wanted = load_keras(tmp_path / "model.keras")(picture, training=False)
    scores = onnx_call(tmp_path / "xception" / "1")({"input_8": picture})["dense_7"]
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
