"""Models of tables: the published ones, and one trained on synthetic data with known probabilities."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import optuna
import pytest
import tensorflow as tf

from training.card import main as card_command
from training.json_file import write_json
from training.served import onnx_call, tensorflow_call
from training.settings import SIGNATURE
from training.tabular import rides
from training.tabular.__main__ import definitions
from training.tabular.customers import Customers, draw_customers, draw_parts, fingerprint
from training.tabular.evaluate import area_under_curve, measure
from training.tabular.export import export
from training.tabular.fit import FitSettings
from training.tabular.network import Feature, Layer, Network, Row, columns_of
from training.tabular.published import NUMBERS, published, read_published
from training.tabular.train import NAME, make
from training.tabular.tune import tune
from training.tabular.write import make as make_defined

CALLS = pytest.mark.parametrize("call", [tensorflow_call, onnx_call])
COMMITTED = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of both published models and of the rides."""
    folder = tmp_path_factory.mktemp("tables")
    for definition in definitions(None):
        make_defined(definition, folder / "models", folder / "work")
    return folder / "models"


@pytest.mark.parametrize("name", ["churn", "credit"])
@CALLS
def test_examples_match_within_1e_6(models: Path, name: str, call: Any) -> None:
    """Probabilities and decisions, in both formats. The expected values are read from the file."""
    given = read_published(NUMBERS / f"{name}.json")
    outputs = call(models / name / "1")(columns_of(given.network.features, given.rows))
    wanted = [
        example[f"{name}_probability"] for example in json.loads((NUMBERS / f"{name}.json").read_text())["examples"]
    ]
    assert outputs[f"{name}_probability"].dtype == np.float32
    np.testing.assert_allclose(outputs[f"{name}_probability"], wanted, rtol=0, atol=1e-6)
    assert outputs[name].tolist() == [probability >= 0.5 for probability in wanted]


@pytest.mark.parametrize(("name", "answers"), [("churn", ["0.36275"]), ("credit", ["0.902", "0.140"])])
def test_card_shows_the_published_outputs(models: Path, name: str, answers: list[str]) -> None:
    """The outputs of the model are next to them."""
    evaluation = json.loads((models / name / "evaluation" / "1.json").read_text())
    printed = [
        f"{row['answered']:.{len(answer) - 2}f}" for row, answer in zip(evaluation["published"], answers, strict=True)
    ]
    assert printed == answers
    assert all(str(row["answered"]) in (models / name / "README.md").read_text() for row in evaluation["published"])


def test_the_card_of_a_pushed_table_is_that_of_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make push` writes the card of every kind of model by one command."""
    folder = tmp_path / NAME
    shutil.copytree(COMMITTED / NAME, folder)
    wanted = (folder / "README.md").read_text()
    (folder / "README.md").unlink()
    monkeypatch.setattr("sys.argv", ["card", str(folder), "1"])
    card_command()
    assert (folder / "README.md").read_text() == wanted


def test_f27_a_folder_that_holds_the_model_already_stays_as_it_is(models: Path, tmp_path: Path) -> None:
    """No file changes, and no run is recorded. A changed file is written again."""
    folder, work = tmp_path / "models" / "credit", tmp_path / "work"
    shutil.copytree(models / "credit", folder)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    evaluation = make_defined(published(NUMBERS / "credit.json"), folder.parent, work)
    assert evaluation == json.loads((folder / "evaluation" / "1.json").read_text())
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert not work.exists()
    (folder / "model.yaml").write_text("name: credit\n")
    again = make_defined(published(NUMBERS / "credit.json"), folder.parent, work)
    assert (folder / "model.yaml").read_bytes() == before[folder / "model.yaml"]
    assert again["lineage"]["run_id"] != evaluation["lineage"]["run_id"]


def test_every_column_is_an_input_with_its_type(models: Path) -> None:
    """Strings, integers and floats [n], in both formats."""
    inputs = tf.saved_model.load(str(models / "churn" / "1")).signatures[SIGNATURE].structured_input_signature[1]
    session = onnxruntime.InferenceSession(str(models / "churn" / "1" / "model.onnx"))
    types = {value.name: value.type for value in session.get_inputs()}
    assert len(inputs) == len(types) == 18
    assert {name: spec.dtype for name, spec in inputs.items() if types[name] != "tensor(string)"} == {
        "seniorcitizen": tf.int64,
        "tenure": tf.int64,
        "monthlycharges": tf.float32,
    }
    assert all(spec.shape.as_list() == [None] for spec in inputs.values())
    assert types["tenure"] == "tensor(int64)" and types["monthlycharges"] == "tensor(float)"


@CALLS
def test_unknown_categories_count_as_0(models: Path, call: Any) -> None:
    """Only the intercept remains. Batches of two rows and of none work."""
    rows: list[Row] = [{"job": "astronaut", "poutcome": "", "duration": 0}] * 2
    features = read_published(NUMBERS / "credit.json").network.features
    credit = call(models / "credit" / "1")
    wanted = 1 / (1 + np.exp(1.9649122891327522))
    np.testing.assert_allclose(credit(columns_of(features, rows))["credit_probability"], wanted, atol=1e-6)
    assert credit(columns_of(features, []))["credit"].shape == (0,)


def test_parity_samples_are_the_examples(models: Path) -> None:
    """In the format of requests."""
    samples = json.loads((models / "credit" / "parity" / "1.json").read_text())
    assert (samples["version"], samples["tolerance"]) == (1, 1e-6)
    assert samples["instances"][0] == {"job": "retired", "duration": 445, "poutcome": "success"}
    assert samples["outputs"][0] == {"credit_probability": 0.9019309332297606, "credit": True}
    assert len(samples["instances"]) == len(samples["outputs"]) == 42


def test_wrong_examples_write_no_version(tmp_path: Path) -> None:
    """The outputs are compared with those in the file."""
    given = json.loads((NUMBERS / "credit.json").read_text())
    given["examples"][3]["credit_probability"] += 1e-5
    write_json(tmp_path / "credit.json", given)
    with pytest.raises(ValueError, match="differ"):
        make_defined(published(tmp_path / "credit.json"), tmp_path / "models", tmp_path / "work")
    assert not (tmp_path / "models" / "credit" / "1").exists()


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    """The error names file and field."""
    (tmp_path / "churn.json").write_text('{"examples": [], "categories": {}, "numbers": {}}')
    with pytest.raises(ValueError, match=r"churn.json: 'intercept' is missing"):
        read_published(tmp_path / "churn.json")


@pytest.mark.parametrize("name", ["churn", "credit", "ride-duration"])
def test_the_committed_folder_is_reproducible(models: Path, name: str) -> None:
    """The served files are byte-identical."""
    for file in ("model.yaml", "parity/1.json", "1/model.onnx"):
        assert (COMMITTED / name / file).read_bytes() == (models / name / file).read_bytes()


@pytest.mark.parametrize("name", ["churn", "credit", "ride-duration"])
def test_making_the_committed_folder_changes_nothing(tmp_path: Path, name: str) -> None:
    """No file changes, and no run is recorded."""
    folder, work = tmp_path / "models" / name, tmp_path / "work"
    shutil.copytree(COMMITTED / name, folder)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    (definition,) = [given for given in definitions(None) if given.name == name]
    make_defined(definition, folder.parent, work)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert not work.exists()


@CALLS
def test_a_ride_takes_the_time_of_both_zones_and_of_the_distance(models: Path, call: Any) -> None:
    """[n, 1]. Compared with the formula, for a known pair of zones, unknown ones, and no row at all."""
    network = rides.ride_duration().network
    (layer,) = network.layers
    pickup, dropoff = ({zone: place for place, zone in enumerate(feature.words)} for feature in network.features[:2])
    weight = layer.weights[:, 0]
    known = layer.bias[0] + weight[pickup[100]] + weight[len(pickup) + dropoff[102]] + 30 * weight[-1]
    ride_duration = call(models / "ride-duration" / "1")

    def answers(*rows: Row) -> Any:
        return ride_duration(columns_of(network.features, rows))["ride_duration"]

    rows: list[Row] = [
        {"PULocationID": 100, "DOLocationID": 102, "trip_distance": 30},
        {"PULocationID": 0, "DOLocationID": 2**60, "trip_distance": 2},
    ]
    assert answers(*rows).dtype == np.float32
    np.testing.assert_allclose(answers(*rows), [[known], [layer.bias[0] + 2 * weight[-1]]], rtol=1e-6)
    assert answers().shape == (0, 1)


def test_the_regression_comes_close_to_the_expected_durations() -> None:
    """Trips differ from them by 3 minutes, the model by half a minute, and by less where it has seen many trips."""
    trips = rides.draw_trips(30_000, 7)
    network, others = rides.fit(trips.part(0, 20_000)), trips.part(20_000, 30_000)
    assert abs((others.minutes - others.expected).std() - 3) < 0.1
    answered = network.outputs(others.columns)["ride_duration"].astype(np.float64)
    figures = rides.measure(answered, others)
    best = rides.measure(others.expected, others)
    assert best["root_mean_squared_error"] <= figures["root_mean_squared_error"] < best["root_mean_squared_error"] + 0.1
    assert figures["distance_from_truth"] < 0.5 and best["distance_from_truth"] == 0
    zones = trips.columns["PULocationID"]
    busy = np.isin(others.columns["PULocationID"], np.flatnonzero(np.bincount(zones) > 400))
    assert busy.any() and np.abs(answered - others.expected)[busy].mean() < figures["distance_from_truth"]


def test_trips_are_reproducible() -> None:
    """The fingerprint changes if one trip changes."""
    trips, again = rides.draw_trips(50, 1), rides.draw_trips(50, 1)
    assert rides.fingerprint(trips) == rides.fingerprint(again) != rides.fingerprint(rides.draw_trips(50, 2))
    again.columns["trip_distance"][3] += 1
    assert rides.fingerprint(trips) != rides.fingerprint(again)


def test_metrics_of_three_trips() -> None:
    """Compared with values computed by hand."""
    trips = rides.Trips({}, np.array([10.0, 12.0, 17.0]), np.array([11.0, 12.0, 16.0]))
    figures = rides.measure(np.array([10.0, 15.0, 17.0]), trips)
    assert (figures["rows"], figures["mean_absolute_error"], figures["root_mean_squared_error"]) == (3, 1, 1.732051)
    assert figures["explained"] == round(1 - 9 / 26, 6) and figures["distance_from_truth"] == round(5 / 3, 6)


@CALLS
def test_hidden_layers_are_exported(tmp_path: Path, call: Any) -> None:
    """ReLU between them gives 1 at x = 2 and 0 below."""
    layers = (Layer(np.array([[1.0]]), np.array([-1.0])), Layer(np.array([[3.0]]), np.array([0.0])))
    network = Network("big", (Feature("x", "float32"),), layers, threshold=0.6)
    export(network, tmp_path / "1", "big")
    outputs = call(tmp_path / "1")({"x": np.array([-5, 1, 2], np.float32)})
    np.testing.assert_allclose(outputs["big_probability"], [0.5, 0.5, 1 / (1 + np.exp(-3))], rtol=1e-6)
    assert outputs["big"].tolist() == [False, False, True]


def test_customers_are_reproducible() -> None:
    """The fingerprint changes if one customer changes."""
    parts, again = draw_parts(50, 20, 20), draw_parts(50, 20, 20)
    assert fingerprint(parts) == fingerprint(again)
    again.test.columns["tenure"][3] += 1
    assert fingerprint(parts) != fingerprint(again)


def test_outcomes_follow_the_true_probabilities() -> None:
    """In each tenth of the range, within four standard deviations."""
    customers = draw_customers(20_000, 5)
    assert customers.probabilities is not None
    for low in np.arange(0, 1, 0.1):
        inside = (customers.probabilities >= low) & (customers.probabilities < low + 0.1)
        wanted = customers.probabilities[inside].mean()
        allowed = 4 * np.sqrt(wanted * (1 - wanted) / inside.sum())
        assert abs(customers.left[inside].mean() - wanted) < allowed


def test_metrics_of_four_customers() -> None:
    """Compared with values computed by hand."""
    left, truth = np.array([False, False, True, True]), np.array([0.2, 0.4, 0.5, 0.9])
    answered = np.array([0.1, 0.6, 0.6, 0.8])
    figures = measure(answered, answered >= 0.5, Customers({}, left, truth))
    assert (figures["rows"], figures["correct"], figures["accuracy"]) == (4, 3, 0.75)
    assert figures["area_under_curve"] == area_under_curve(answered, left) == 3.5 / 4
    assert figures["accuracy_against_truth"] == pytest.approx((0.8 + 0.4 + 0.5 + 0.9) / 4)
    assert figures["distance_from_truth"] == pytest.approx((0.1 + 0.2 + 0.1 + 0.1) / 4)
    assert figures["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.6, 0.8]).mean())
    assert [row["recall"] for row in figures["per_class"]] == [0.5, 1]


def test_the_trained_model_comes_close_to_the_bayes_rate(tmp_path: Path) -> None:
    """The difference is within 0.5 points, which a linear model does not reach."""
    parts = draw_parts(20_000, 5_000, 20_000)
    settings = FitSettings(epochs=6)
    evaluation = make(parts, settings, tmp_path, tmp_path / "models")
    best = evaluation["truth"]["accuracy_against_truth"]
    assert best - 0.005 < evaluation["test"]["accuracy_against_truth"] <= best
    assert evaluation["test"]["calibration_error"] < 0.02
    assert evaluation["gate"]["decision"] == "first" and evaluation["difference"] <= 1e-6
    card = (tmp_path / "candidate" / NAME / "README.md").read_text()
    assert f"{evaluation['test']['accuracy_against_truth']:.4f}" in card


def test_the_candidate_must_beat_the_newest_version(tmp_path: Path) -> None:
    """The same settings give the same model, which is refused."""
    parts, settings = draw_parts(400, 100, 400), FitSettings(epochs=1)
    first = make(parts, settings, tmp_path, tmp_path / "models")
    for version in ("1", "3", ".4"):
        shutil.copytree(tmp_path / "candidate" / NAME / "1", tmp_path / "models" / NAME / version)
    again = make(parts, settings, tmp_path, tmp_path / "models")
    assert again["test"] == first["test"]
    assert (again["gate"]["decision"], again["gate"]["against"]) == ("refused", 3)


def test_an_interrupted_search_is_resumed(tmp_path: Path) -> None:
    """Two trials, then a third one. Another call runs no trial."""
    parts, base = draw_parts(400, 200, 1), FitSettings(epochs=1)
    tune(parts, base, tmp_path, 2)
    chosen = tune(parts, base, tmp_path, 3)
    (study,) = optuna.get_all_study_summaries(f"sqlite:///{tmp_path}/tune.db")
    assert study.n_trials == 3
    assert tune(parts, base, tmp_path, 3) == chosen != base
