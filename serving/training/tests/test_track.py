"""Runs in MLflow: complete, without duplicates, and failing early if the store is not available."""

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from training.registry import tag_pushed
from training.settings import Settings
from training.store import SQLITE, file_of, open_store
from training.track import lineage_of, start_run

MODEL = Path(__file__).resolve().parents[2] / "models" / "clothing-model"
VERSION = max((entry for entry in MODEL.iterdir() if entry.name.isdigit()), key=lambda entry: int(entry.name))
PHOTOS = "5e" * 32


def _row(epoch: int) -> dict[str, float]:
    return {"epoch": epoch, "loss": 2 / epoch, "accuracy": 0.5}


def _steps(uri: str, run_id: str) -> list[int]:
    return [metric.step for metric in open_store(uri).get_metric_history(run_id, "loss")]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One store for all tests, because MLflow takes seconds to create its tables."""
    return f"{SQLITE}{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def uri(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of the store, also set in the environment."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    return database


def test_the_run_has_settings_epochs_and_origin(uri: str, tmp_path: Path) -> None:
    """Everything needed to reproduce the run, and its results."""
    settings = Settings(epochs=2, seed=7)
    with start_run(settings, tmp_path, PHOTOS) as run:
        run.log_epoch(_row(1))
        run.log_epoch(_row(2))
    kept = open_store(uri).get_run(run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params["seed"] == "7" and kept.data.params["learning_rate"] == "0.002"
    assert kept.data.metrics["loss"] == 1.0 and _steps(uri, run.run_id) == [1, 2]
    assert kept.data.tags["data_sha256"] == PHOTOS and kept.data.tags["environment.tensorflow"].startswith("2.")
    lineage = lineage_of(run, settings, PHOTOS)
    assert (lineage["run_id"], lineage["seed"], lineage["data_sha256"]) == (run.run_id, 7, PHOTOS)
    assert lineage["commit"] == kept.data.tags.get("mlflow.source.git.commit")


def test_a_killed_run_continues_its_mlflow_run(uri: str, tmp_path: Path) -> None:
    """Killed after epoch 3 was saved and before it was logged. Epoch 4 is logged twice."""
    settings = Settings(epochs=5)
    killed = start_run(settings, tmp_path, PHOTOS)
    killed.log_epoch(_row(1))
    killed.log_epoch(_row(2))
    (tmp_path / "history.json").write_text(json.dumps([_row(1), _row(2), _row(3)]))
    with start_run(settings, tmp_path, PHOTOS) as run:
        assert run.run_id == killed.run_id
        for epoch in (3, 4, 4, 5):
            run.log_epoch(_row(epoch))
    assert _steps(uri, run.run_id) == [1, 2, 3, 4, 5]
    assert open_store(uri).get_run(run.run_id).info.status == "FINISHED"


def test_a_run_killed_before_it_wrote_its_id_is_found(uri: str, tmp_path: Path) -> None:
    """Otherwise a search would leave duplicate runs."""
    killed = start_run(Settings(), tmp_path, PHOTOS)
    noted = json.loads((tmp_path / "run.json").read_text())
    del noted["run_id"]
    (tmp_path / "run.json").write_text(json.dumps(noted))
    assert start_run(Settings(), tmp_path, PHOTOS).run_id == killed.run_id


def test_a_run_unknown_to_the_store_is_created_again(uri: str, tmp_path: Path) -> None:
    """The new run has the epochs so far."""
    settings = Settings(epochs=3)
    first = start_run(settings, tmp_path, PHOTOS)
    (tmp_path / "history.json").write_text(json.dumps([_row(1), _row(2)]))
    open_store(uri).delete_run(first.run_id)
    second = start_run(settings, tmp_path, PHOTOS)
    assert second.run_id != first.run_id and _steps(uri, second.run_id) == [1, 2]


def test_failed_and_stopped_runs_have_different_statuses(uri: str, tmp_path: Path) -> None:
    """FAILED for an error, KILLED for an interrupt."""
    for error, status in ((ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")):
        with pytest.raises(error), start_run(Settings(), tmp_path, PHOTOS) as run:
            raise error
        assert open_store(uri).get_run(run.run_id).info.status == status


def test_the_evaluation_is_logged_as_metrics_and_files(uri: str, tmp_path: Path) -> None:
    """MLflow groups metrics by path. The gate's decision is a tag."""
    plot = tmp_path / "curve.png"
    plot.write_bytes(b"a picture")
    classes = [{"class": "hat", "photos": 4, "precision": 1.0, "recall": 0.75, "f1": 0.857}]
    evaluation = {
        "temperature": 1.21,
        "test": {"photos": 4, "accuracy": 0.75, "calibration_error": 0.03, "per_class": classes, "confusion": [[3]]},
        "sizes": {"onnx": 6_500_000},
        "milliseconds": [{"threads": 1, "clock": 9.5, "cpu": 9.0}],
        "gate": {"decision": "accepted", "against": 1, "checks": []},
    }
    with start_run(Settings(), tmp_path, PHOTOS) as run:
        run.log_evaluation(evaluation, [plot])
    client = open_store(uri)
    kept = client.get_run(run.run_id).data
    assert kept.metrics == {
        "temperature": 1.21, "test/photos": 4, "test/accuracy": 0.75, "test/calibration_error": 0.03,
        "test/recall/hat": 0.75, "sizes/onnx": 6_500_000, "milliseconds/1-threads/clock": 9.5,
        "milliseconds/1-threads/cpu": 9.0,
    }  # fmt: skip
    assert kept.tags["gate"] == "accepted"
    files = [file.path for folder in ("", "plots") for file in client.list_artifacts(run.run_id, folder)]
    assert files == ["evaluation.json", "plots", "plots/curve.png"]


def test_the_model_is_registered_once_with_signature_and_aliases(uri: str, tmp_path: Path) -> None:
    """The candidate becomes the champion, other files of the run are a new model, and a push is tagged."""
    from mlflow.models import Model

    folder = tmp_path / "candidate" / "clothing-model"
    shutil.copytree(VERSION, folder / "1")
    client = open_store(uri)
    with start_run(Settings(), tmp_path, PHOTOS) as run:
        run.register(folder, folder / "1", "candidate")
        run.register(folder, folder / "1", "champion")
        first = client.get_model_version_by_alias("clothing-model", "champion")
        assert first.run_id == run.run_id and sorted(first.aliases) == ["candidate", "champion"]
        (folder / "1" / "extra").write_text("exported again")
        run.register(folder, folder / "1", "candidate")
    assert len(client.search_model_versions(f"run_id = '{run.run_id}'")) == 2
    files = client.download_artifacts(run.run_id, str(first.source).rpartition("/")[2])
    signature = Model.load(files).signature
    assert signature.inputs.to_dict()[0]["tensor-spec"] == {"dtype": "float32", "shape": (-1, 299, 299, 3)}
    assert signature.outputs.input_names() == ["logits"]
    tag_pushed(client, run.run_id, "clothing-model", 4)
    newest = client.get_model_version_by_alias("clothing-model", "candidate")
    assert newest.tags["served_version"] == "4"


def test_a_run_without_a_model_cannot_be_tagged(uri: str, tmp_path: Path) -> None:
    """The run has no model in the registry."""
    with start_run(Settings(), tmp_path, PHOTOS) as run, pytest.raises(LookupError, match=run.run_id):
        tag_pushed(run.client, run.run_id, "clothing-model", 4)


def test_an_unreachable_server_fails_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is one line with the address, and the work folder is not changed."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ConnectionError, match=address) as error:
        start_run(Settings(), tmp_path, PHOTOS)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_a_broken_database_fails_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the path of the default store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").write_text("no database " * 100)
    with pytest.raises(ConnectionError, match=r"mlflow\.db: file is not a database"):
        start_run(Settings(), tmp_path, PHOTOS)


def test_epochs_are_logged_later_if_the_store_fails(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Training continues with a warning, and the next epoch logs the missing one."""
    with start_run(Settings(), tmp_path, PHOTOS) as run, closing(sqlite3.connect(file_of(uri))) as database:
        database.execute("ALTER TABLE metrics RENAME TO away")
        run.log_epoch(_row(1))
        assert "epoch 1 not logged to MLflow" in capsys.readouterr().err
        database.execute("ALTER TABLE away RENAME TO metrics")
        run.log_epoch(_row(2))
    assert _steps(uri, run.run_id) == [1, 2]
