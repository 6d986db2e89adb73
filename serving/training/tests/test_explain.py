"""The signature `explain` gives integrated gradients, in both formats, and leaves the other signatures as they are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from keras import layers

from training.conversion import Conversion, convert
from training.explain import EXPLAIN, GAUSS_LEGENDRE, MAX_STEPS, TRAPEZOID
from training.export import export
from training.model_file import ImageOptions
from training.served import Call, Tensors, onnx_call, onnx_file, tensorflow_call
from training.settings import Settings

Array = npt.NDArray[Any]
CALLS: dict[str, Callable[[Path, str], Call]] = {"SavedModel": tensorflow_call, "ONNX": onnx_call}


def _request(
    inputs: Tensors, baselines: Tensors, target: int = 0, steps: int = 50, rule: str = GAUSS_LEGENDRE
) -> Tensors:
    rows = len(next(iter(inputs.values())))
    return {
        **inputs,
        **{f"baseline_{name}": values for name, values in baselines.items()},
        "target": np.full(rows, target, np.int64),
        "steps": np.full(rows, steps, np.int64),
        "quadrature": np.full(rows, rule, object),
    }


@pytest.fixture(scope="module")
def version(trunk: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported version of our own network."""
    folder = tmp_path_factory.mktemp("model") / "1"
    export(trunk, folder, "clothes", Settings())
    return folder


@pytest.mark.parametrize("kind", CALLS)
def test_attributions_of_our_network_add_up_to_the_difference_of_the_scores(version: Path, kind: str) -> None:
    """Within one percent. Both scores are those of serving_default."""
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 299, 299, 3)).astype(np.float32)
    black = np.full_like(picture, -1)
    served = tensorflow_call(version)
    scores = [served({"image": image})["logits"][0] for image in (picture, black)]
    target = int(np.abs(scores[0] - scores[1]).argmax())
    answer = CALLS[kind](version, EXPLAIN)(_request({"image": picture}, {"image": black}, target, 40))
    for name, wanted in zip(("score_logits", "baseline_score_logits"), scores, strict=True):
        np.testing.assert_allclose(answer[name], wanted[target : target + 1], atol=1e-4)
    np.testing.assert_allclose(answer["attributions_image"].sum(), scores[0][target] - scores[1][target], rtol=0.01)


def _small() -> keras.Model:
    """A network of 12 x 12 pictures with weights that do not depend on the library's random numbers."""
    inputs = keras.Input((12, 12, 3), name="photo")
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.Dense(6, activation="relu")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(3, name="scores")(x))
    chance = np.random.default_rng(5)
    for weight in model.weights:
        weight.assign(chance.normal(0, 0.4, weight.shape))
    return model


def _convert(model: keras.Model, folder: Path) -> Path:
    model.save(folder / "model.keras")
    image = ImageOptions(["cat", "dog", "fox"], "div255") if len(model.inputs[0].shape) == 4 else ImageOptions()
    assert convert(Conversion(folder / "model.keras", "any", folder, image=image)).no_gradients == {}
    return folder / "any" / "1"


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """The signature of a converted network, in both formats."""
    version = _convert(_small(), tmp_path_factory.mktemp("pets"))
    return {kind: make(version, EXPLAIN) for kind, make in CALLS.items()}


@pytest.mark.parametrize("kind", CALLS)
def test_attributions_are_those_of_saliency(pets: dict[str, Call], kind: str) -> None:
    """saliency.json has those of `saliency` 0.2.1 (PAIR) for the same network, by against_saliency.trapezoid."""
    expected = json.loads((Path(__file__).parent / "saliency.json").read_text())
    photo, baseline = np.random.default_rng(2).uniform(0, 1, (2, 1, 12, 12, 3)).astype(np.float32)
    request = _request({"photo": photo}, {"photo": baseline}, expected["target"], expected["steps"], TRAPEZOID)
    attributions = pets[kind](request)["attributions_photo"]
    assert np.abs(attributions).max() > 0.1
    np.testing.assert_allclose(attributions.ravel(), expected["attributions"], atol=1e-5)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """The signature of a model that computes x^3 / 3, in both formats."""
    inputs = keras.Input((1,), name="x")
    product = layers.Multiply()([inputs, layers.Multiply()([inputs, inputs])])
    model = keras.Model(inputs, layers.Rescaling(1 / 3, name="y")(product))
    version = _convert(model, tmp_path_factory.mktemp("cube"))
    return {kind: make(version, EXPLAIN) for kind, make in CALLS.items()}


@pytest.mark.parametrize("kind", CALLS)
def test_rows_are_independent(pets: dict[str, Call], kind: str) -> None:
    """TF-Serving's batching joins the rows of several requests: each has its own target, steps and quadrature."""
    call = pets[kind]
    chance = np.random.default_rng(2)
    photo, baseline = chance.uniform(0, 1, (2, 3, 12, 12, 3)).astype(np.float32)
    each: Tensors = {
        "photo": photo,
        "baseline_photo": baseline,
        "target": np.array([2, 0, 1]),
        "steps": np.array([2, 300, MAX_STEPS]),
        "quadrature": np.array([TRAPEZOID, GAUSS_LEGENDRE, TRAPEZOID], object),
    }
    together = call(each)
    for row in range(3):
        alone = call({name: values[row : row + 1] for name, values in each.items()})
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][row], values[0], atol=1e-6)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("steps", [2, 3, 20, 257, MAX_STEPS])
def test_points_and_weights_are_those_of_numpy(cube: dict[str, Call], kind: str, steps: int) -> None:
    """The integral of x^2 from 0 to 1 by each rule, as the attribution of a model that computes x^3 / 3."""
    call = cube[kind]
    ends = {"x": np.ones((1, 1), np.float32)}, {"x": np.zeros((1, 1), np.float32)}
    exact = call(_request(*ends, steps=steps))["attributions_x"][0, 0]
    assert exact == pytest.approx(1 / 3, abs=1e-6)
    places = np.linspace(0, 1, steps)
    rough = call(_request(*ends, steps=steps, rule=TRAPEZOID))["attributions_x"][0, 0]
    assert rough == pytest.approx(np.trapezoid(places**2, places), abs=1e-6)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(
    ("wrong", "saved_model"),
    [
        ({"steps": np.array([1])}, "steps must be 2 to 512"),
        ({"steps": np.array([MAX_STEPS + 1])}, "steps must be 2 to 512"),
        ({"quadrature": np.array(["simpson"], object)}, "quadrature must be gauss-legendre or trapezoid"),
        ({"target": np.array([3])}, "is not in"),
    ],
)
def test_other_requests_are_refused(pets: dict[str, Call], kind: str, wrong: Tensors, saved_model: str) -> None:
    """ONNX has no errors of its own: an index is out of bounds."""
    call = pets[kind]
    photo = np.zeros((1, 12, 12, 3), np.float32)
    with pytest.raises(Exception, match=saved_model if kind == "SavedModel" else "(?i)out of"):
        call({**_request({"photo": photo}, {"photo": photo}), **wrong})


def test_a_table_with_several_inputs_of_floats(tmp_path: Path) -> None:
    """Each input has its own baseline and attributions. The only output is explained."""
    age, income = keras.Input((1,), name="age"), keras.Input((2,), name="income")
    x = layers.Dense(4, activation="tanh")(layers.Concatenate()([age, income]))
    version = _convert(keras.Model([age, income], layers.Dense(1, activation="sigmoid", name="risk")(x)), tmp_path)
    inputs: Tensors = {"age": np.array([[0.5]], np.float32), "income": np.array([[1, -2]], np.float32)}
    zeros = {name: np.zeros_like(values) for name, values in inputs.items()}
    for make in CALLS.values():
        answer = make(version, EXPLAIN)(_request(inputs, zeros))
        total = sum(answer[f"attributions_{name}"].sum() for name in inputs)
        assert total == pytest.approx(float(answer["score_risk"][0] - answer["baseline_score_risk"][0]), abs=1e-5)


def _table(*inputs: keras.KerasTensor, outputs: int = 1) -> keras.Model:
    x = layers.Concatenate()([layers.Rescaling(1.0, dtype="float32")(tensor) for tensor in inputs] * 2)
    return keras.Model(list(inputs), [layers.Dense(1, name=f"y{number}")(x) for number in range(outputs)])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _table(keras.Input((1,), name="age", dtype="int64")), "input age is int64, which has no gradient"),
        (lambda: _table(keras.Input((1,), name="steps")), "input steps has a name that the signature needs"),
        (lambda: _table(keras.Input((1,), name="age"), outputs=2), "several outputs, and no classes"),
    ],
)
def test_a_model_without_gradients_says_why(make: Callable[[], keras.Model], reason: str, tmp_path: Path) -> None:
    """It is converted without the signature."""
    make().save(tmp_path / "model.keras")
    converted = convert(Conversion(tmp_path / "model.keras", "table", tmp_path))
    assert converted.no_gradients == {"SavedModel and ONNX": reason}
    assert list(tf.saved_model.load(str(tmp_path / "table" / "1")).signatures) == ["serving_default"]


def test_a_layer_without_a_rule_has_no_gradients_in_onnx(tmp_path: Path) -> None:
    """The SavedModel has them."""
    inputs = keras.Input((4, 3), name="x")
    model = keras.Model(inputs, layers.Dense(1, name="y")(layers.SimpleRNN(2)(inputs)))
    model.save(tmp_path / "model.keras")
    converted = convert(Conversion(tmp_path / "model.keras", "series", tmp_path))
    assert list(converted.no_gradients) == ["ONNX"]
    assert "has no gradient here" in converted.no_gradients["ONNX"]
    version = tmp_path / "series" / "1"
    assert not onnx_file(version, EXPLAIN).exists()
    row = {"x": np.ones((1, 4, 3), np.float32)}
    answer = tensorflow_call(version, EXPLAIN)(_request(row, {"x": np.zeros((1, 4, 3), np.float32)}))
    assert answer["attributions_x"].shape == (1, 4, 3)


def test_a_saved_model_keeps_its_signatures(tmp_path: Path) -> None:
    """It is copied."""
    _small().export(tmp_path / "source", verbose=False)
    image = ImageOptions(["cat", "dog", "fox"], "div255")
    converted = convert(Conversion(tmp_path / "source", "pets", tmp_path, image=image))
    assert "convert the .keras or .h5 file" in converted.no_gradients["SavedModel and ONNX"]
