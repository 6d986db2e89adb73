"""Retraining on labelled predictions, with the alert that caused it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.lineage import read_lineage
from training.store import open_store, tracking_uri
from training.tabular.customers import FEATURES, draw_customers, draw_parts, fingerprint
from training.tabular.fit import FitSettings
from training.tabular.labelled import read_labelled, with_labelled
from training.tabular.network import rows_of
from training.tabular.train import NAME, make

COMMITTED = Path(__file__).resolve().parents[2] / "models"
ALERT = {"alertname": "TensorgateInputSkew", "model": NAME, "version": "1", "feature": "input.monthlycharges"}


def _prediction(key: str, values: dict[str, Any], **own: Any) -> dict[str, Any]:
    given = {"kind": "tensors", "values": values, "digests": {}}
    return {"kind": "prediction", "schema": 1, "id": key, "model": NAME, "version": 1, "input": given} | own


def _feedback(key: str, label: str, time: str = "2026-11-30T12:00:00.000Z") -> dict[str, Any]:
    return {"kind": "feedback", "schema": 1, "time": time, "id": key, "label": label}


def _write(file: Path, lines: list[dict[str, Any]]) -> None:
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3000 customers of a promotion and others, whose labels come later and in another file."""
    folder, drawn = tmp_path_factory.mktemp("log"), draw_customers(3000, seed=2, promoted=0.7)
    rows = rows_of(drawn.columns)
    _write(folder / "a.jsonl", [_prediction(f"c-{place}", row) for place, row in enumerate(rows)])
    labels = [_feedback(f"c-{place}", str(bool(left)).lower()) for place, left in enumerate(drawn.left)]
    _write(folder / "b.jsonl.part", labels)
    return folder


def test_labels_are_joined_to_the_records(log: Path) -> None:
    """All customers, with the values that the model got."""
    ids, found = read_labelled(log, NAME)
    drawn = draw_customers(3000, seed=2, promoted=0.7)
    places = [int(key.removeprefix("c-")) for key in ids]
    assert sorted(places) == list(range(3000)) and found.left.tolist() == drawn.left[places].tolist()
    for feature in FEATURES:
        assert found.columns[feature.name].tolist() == drawn.columns[feature.name][places].tolist()
        assert found.columns[feature.name].dtype == drawn.columns[feature.name].dtype


def test_other_lines_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last label counts. Other models, missing values, labels that are no decision and half lines are skipped."""
    monkeypatch.setattr("training.tabular.labelled.FEWEST", 1)
    (row,) = rows_of(draw_customers(1, seed=2).columns)
    lines = [
        _prediction("a", row),
        _feedback("a", "true", "2026-11-30T13:00:00.000Z"),
        _feedback("a", "false"),
        _prediction("other-model", row, model="churn"),
        _prediction("no-tenure", {name: value for name, value in row.items() if name != "tenure"}),
        _prediction("schema", row, schema=2),
        _prediction("unlabelled", row),
        *(_feedback(key, "true") for key in ("other-model", "no-tenure", "schema", "no-prediction")),
        _prediction("class", row),
        _feedback("class", "shoes"),
        {"level": "info", "msg": 'a "prediction"'},
    ]
    _write(tmp_path / "a.jsonl", lines)
    (tmp_path / "cut.jsonl").write_text('{"kind":"prediction","schema":1,"id":"a')
    ids, customers = read_labelled(tmp_path, NAME)
    assert ids == ["a"] and customers.left.tolist() == [True]


def test_too_few_labels_are_refused(tmp_path: Path) -> None:
    """The error says how many there are and how many are needed."""
    _write(tmp_path / "a.jsonl", [])
    with pytest.raises(ValueError, match="has 0 labelled predictions of churn-synthetic, and 1000 are needed"):
        read_labelled(tmp_path, NAME)
    with pytest.raises(ValueError, match="no such file or folder"):
        read_labelled(tmp_path / "none", NAME)


def test_parts_are_disjoint_and_stay(log: Path) -> None:
    """More labels do not move a customer to another part."""
    parts = draw_parts(train=100, validation=10, test=10)
    joined = with_labelled(parts, log, NAME)
    sizes = [len(part.left) - known for part, known in zip(joined, (100, 0, 0), strict=True)]
    assert sum(sizes) == 3000 and 1650 < sizes[0] < 1950 and min(sizes[1:]) > 500
    assert fingerprint(with_labelled(parts, log, NAME)) == fingerprint(joined)
    assert joined.train.columns["tenure"][:100].tolist() == parts.train.columns["tenure"].tolist()


def test_the_retrained_model_is_accepted_and_names_the_alert(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The committed model is wrong about the promotion; the run, its lineage and its card say what caused it."""
    message = {"version": "4", "status": "firing", "alerts": [{"labels": ALERT}]}
    (tmp_path / "alerts.json").write_text(json.dumps(message))
    monkeypatch.setenv("ALERTS_FILE", str(tmp_path / "alerts.json"))
    monkeypatch.setenv("ALERT_NAME", ALERT["alertname"])
    for name in ("model", "version", "feature"):
        monkeypatch.setenv(f"ALERT_{name.upper()}", ALERT[name])
    monkeypatch.setenv("ALERT_STARTS_AT", "2026-11-30T12:00:00Z")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    work = tmp_path / "work"
    made = make(with_labelled(draw_parts(), log, NAME), FitSettings(), work, COMMITTED)
    accuracy = made["gate"]["checks"][0]
    assert made["gate"]["decision"] == "accepted", made["gate"]
    assert accuracy["candidate"] > accuracy["in_place"] + 0.1
    wanted = {
        "alert": "TensorgateInputSkew",
        "model": NAME,
        "version": "1",
        "feature": "input.monthlycharges",
        "starts_at": "2026-11-30T12:00:00Z",
    }
    lineage = read_lineage(work / "candidate" / NAME, 1)
    assert lineage["cause"] == wanted
    client = open_store(tracking_uri(work))
    run = client.get_run(lineage["run_id"])
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("alert.")}
    assert tags == {"alert.name" if name == "alert" else f"alert.{name}": value for name, value in wanted.items()}
    file = client.download_artifacts(lineage["run_id"], "alerts.json", str(tmp_path))
    assert json.loads(Path(file).read_text()) == message
    card = (work / "candidate" / NAME / "README.md").read_text()
    assert "predictions whose labels came later" in card and "accuracy against the truth" not in card
    assert np.isclose(made["test"]["accuracy"], accuracy["candidate"])


def test_a_training_by_a_person_has_no_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a tag nor a member of the lineage."""
    monkeypatch.delenv("ALERT_NAME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    made = make(draw_parts(1000, 500, 500), FitSettings(epochs=1), tmp_path / "work", tmp_path / "models")
    assert "cause" not in made["lineage"]
    tags = open_store(tracking_uri(tmp_path / "work")).get_run(made["lineage"]["run_id"]).data.tags
    assert not [name for name in tags if name.startswith("alert.")]
