"""From a version number to its run, photos and commit."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from training.data import data_sha256
from training.lineage import check_data, read_lineage
from training.settings import Settings
from training.split import split_photos
from training.track import lineage_of, start_run

SERVING = Path(__file__).resolve().parents[2]
LINEAGE: dict[str, Any] = {
    "run_id": "4f2c",
    "commit": "0a1b2c",
    "dirty": True,
    "data_sha256": "5e" * 32,
    "seed": 1,
    "settings": json.loads(json.dumps(asdict(Settings()))),
    "environment": {"python": "3.11.2", "device": "CPU x86_64"},
}


def _model(folder: Path, version: int, evaluation: dict[str, Any]) -> Path:
    (folder / "evaluation").mkdir(parents=True, exist_ok=True)
    (folder / "evaluation" / f"{version}.json").write_text(json.dumps(evaluation))
    return folder


def _command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-B", "-m", "training.lineage", *map(str, arguments)]
    return subprocess.run(line, cwd=SERVING, capture_output=True, text=True, check=False)


def test_a_pushed_version_leads_to_its_run(tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output has the evaluation's data, MLflow's metrics and the version in the registry."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    fingerprint = data_sha256(split_photos(drawn).photos)
    work, versions = tmp_path / "work", SERVING / "models" / "clothing-model"
    newest = max(int(entry.name) for entry in versions.iterdir() if entry.name.isdigit())
    with start_run(Settings(), work, fingerprint) as run:
        run.log_epoch({"epoch": 1, "loss": 0.25})
        lineage = lineage_of(run, Settings(), fingerprint)
        run.register(versions, versions / str(newest), "champion")
    model = _model(tmp_path / "clothing-model", 7, {"lineage": lineage, "gate": {"decision": "first"}})
    done = _command(model, "7", "--work", work, "--data", drawn, "--pushed", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["run_id"], found["data_sha256"], found["commit"]) == (run.run_id, fingerprint, lineage["commit"])
    assert found["mlflow"]["status"] == "FINISHED" and found["mlflow"]["metrics"]["loss"] == 0.25
    assert found["data_unchanged"] is True and found["gate"] == "first"
    champion = run.client.get_model_version_by_alias("clothing-model", "champion")
    assert champion.tags["served_version"] == "7"


def test_the_evaluation_file_alone_is_enough(tmp_path: Path) -> None:
    """If training ran on another machine. The query does not create a store."""
    model = _model(tmp_path / "shoes", 2, {"lineage": LINEAGE})
    done = _command(model, "2", "--work", tmp_path / "work")
    assert done.returncode == 0, done.stderr
    assert "shoes/2" in done.stdout and "0a1b2c with uncommitted changes" in done.stdout
    assert "learning_rate=0.002" in done.stdout and "mlflow.db does not exist" in done.stdout
    assert not (tmp_path / "work").exists()


def test_one_changed_photo_is_detected(tmp_path: Path, drawn: Path) -> None:
    """The same photos in another folder are unchanged."""
    lineage = {**LINEAGE, "data_sha256": data_sha256(split_photos(drawn).photos)}
    copy = tmp_path / "copy"
    shutil.copytree(drawn, copy)
    assert check_data(lineage, copy)
    photo = next((copy / "train" / "hat").iterdir())
    photo.write_bytes(photo.read_bytes() + b"\0")
    assert not check_data(lineage, copy)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, r"9\.json: no such file; evaluated versions: 2, 11"),
        ("{", r"9\.json: not JSON"),
        ("{}", r"9\.json: has no lineage"),
    ],
)
def test_a_missing_file_or_field_is_named(tmp_path: Path, content: str | None, wanted: str) -> None:
    """The error names the file."""
    for version in (11, 2):
        _model(tmp_path, version, {"lineage": LINEAGE})
    if content is not None:
        (tmp_path / "evaluation" / "9.json").write_text(content)
    with pytest.raises(ValueError, match=wanted):
        read_lineage(tmp_path, 9)
