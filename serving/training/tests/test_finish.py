"""F28: the whole path from photos of one's own classes to the gate's decision, on generated pictures."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from training import __main__ as command
from training import finish
from training.data import data_sha256, read_tensor
from training.finish import Job, best_trunk, export_candidate, portable
from training.model import build_served
from training.pretrained import Origin
from training.served import tensorflow_scores
from training.settings import Settings
from training.split import split_photos
from training.work import RUN

# The folder of the photos.
NAME = "bees-and-wasps"


def _run(*arguments: object) -> int | str | None:
    """Runs the command. Returns the exit code or the error line."""
    before, sys.argv = sys.argv, ["training", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as ended:
            command.main()
    finally:
        sys.argv = before
    return ended.value.code


class Made(NamedTuple):
    """The work folder, the folder of models, and the command."""

    work: Path
    models: Path
    command: list[object]


@pytest.fixture(scope="module")
def made(insects: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The result of a run of one epoch."""
    folder = tmp_path_factory.mktemp("made")
    work, models, small = folder / "work", folder / "models", folder / "small.json"
    settings = {"architecture": "xception-small", "width": 0.25, "sides": [[1.0, 40]], "batch": 10, "epochs": 2}
    small.write_text(json.dumps(settings))
    # An older candidate of another model: `make push` takes the only one that is there.
    (work / "candidate" / "older").mkdir(parents=True)
    given = ["--data", insects, "--work", work, "--models", models, "--settings", small, "--epochs", 1]
    assert _run(*given) == 0
    return Made(work, models, given)


def _evaluation(work: Path) -> dict[str, Any]:
    evaluation: dict[str, Any] = json.loads((work / "candidate" / NAME / "evaluation" / "1.json").read_text())
    return evaluation


def test_candidate_is_a_model_folder(made: Made) -> None:
    """It contains everything that a push copies."""
    candidate = made.work / "candidate" / NAME
    names = {entry.name for entry in candidate.iterdir()}
    assert names == {"model.yaml", "1", "parity", "baseline", "evaluation", "README.md", "card"}
    assert (candidate / "1" / "saved_model.pb").exists() and (candidate / "1" / "model.onnx").exists()
    assert [entry.name for entry in candidate.parent.iterdir()] == [NAME]
    described = yaml.safe_load((candidate / "model.yaml").read_text())
    assert (described["name"], described["classes"], described["scores"]) == (NAME, ["bee", "wasp"], "logits")
    scores = json.loads((candidate / "parity" / "1.json").read_text())["scores"]
    assert all(len(row) == 2 for row in scores.values())
    baseline = json.loads((candidate / "baseline" / "1.json").read_text())
    assert (baseline["model"], baseline["version"], set(baseline["features"]["class"]["counts"])) == (
        NAME,
        1,
        {"bee", "wasp"},
    )
    assert "into 2 classes: bee, wasp." in (candidate / "README.md").read_text()


def test_evaluation_contains_the_origin_of_the_candidate(made: Made, insects: Path) -> None:
    """Photos, settings, seed and the run id of the work folder."""
    evaluation = _evaluation(made.work)
    lineage = evaluation["lineage"]
    assert evaluation["gate"] == {"decision": "first", "against": None, "checks": []}
    assert lineage["data_sha256"] == data_sha256(split_photos(insects).photos)
    assert lineage["run_id"] == json.loads((made.work / RUN).read_text())["run_id"]
    assert lineage["settings"]["epochs"] == 1 and lineage["settings"]["width"] == 0.25
    split = split_photos(insects)
    assert (evaluation["test"]["photos"], evaluation["validation"]["photos"]) == (
        len(split.test),
        len(split.validation),
    )
    assert lineage["settings"]["split"] == "hash"
    assert [row["epoch"] for row in evaluation["history"]] == [1]
    assert evaluation["training"]["best_epoch"] == 1
    assert 0 < evaluation["difference"] < 1e-4


def test_exported_logits_are_those_of_the_best_weights(made: Made, insects: Path) -> None:
    """They are divided by the temperature."""
    evaluation = _evaluation(made.work)
    tensor = read_tensor(split_photos(insects).test[0].path)
    settings = Settings(**evaluation["lineage"]["settings"])
    raw = build_served(best_trunk(made.work, settings, 2), settings)(tensor, training=False).numpy()
    served = tensorflow_scores(made.work / "candidate" / NAME / "1")(tensor)
    np.testing.assert_allclose(served, raw / evaluation["temperature"], rtol=1e-3, atol=1e-4)


def test_a_candidate_equal_to_the_current_version_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same run again, against its own version: equally accurate, but not better calibrated.

    The export and evaluation of the first run are reused, because they take a minute.
    """
    monkeypatch.setattr(command, "export_candidate", lambda job: None)
    monkeypatch.setattr(command, "evaluate_candidate", lambda job: None)
    shutil.copytree(made.work / "candidate" / NAME, made.models / NAME)
    # An unfinished push and a plain file are not versions.
    (made.models / NAME / ".2").mkdir()
    (made.models / NAME / "3").touch()
    assert _run(*made.command) == command.REFUSED
    gate = _evaluation(made.work)["gate"]
    assert (gate["decision"], gate["against"]) == ("refused", 1)
    assert [check["name"] for check in gate["checks"] if not check["passed"]][:1] == [
        "calibration error at equal accuracy"
    ]


def test_invalid_settings_are_one_line(made: Made, tmp_path: Path) -> None:
    """An impossible value and a misspelled name."""
    for given, message in (
        ({"sides": [[1.0, 149]]}, "sides .* are 99 wide"),
        ({"widht": 1}, "no setting 'widht'"),
    ):
        (tmp_path / "wrong.json").write_text(json.dumps({"architecture": "xception-small", **given}))
        message_line = _run(*made.command[:-4], "--settings", tmp_path / "wrong.json")
        assert isinstance(message_line, str) and re.match(f"training: .*{message}", message_line), message_line


def test_nothing_is_exported_before_the_first_epoch_has_finished(tmp_path: Path, drawn: Path) -> None:
    """No partial folder is left."""
    job = Job(drawn, tmp_path, tmp_path / "models", Settings(), "clothes")
    with pytest.raises(ValueError, match="no epoch has finished yet"):
        export_candidate(job)
    assert not job.candidate.exists()


def test_lineage_identifies_weights_by_their_hash(tmp_path: Path) -> None:
    """Not by a local path."""
    file = tmp_path / "old.weights.h5"
    file.write_bytes(b"abc")
    lineage = portable({"run_id": "r", "settings": {"seed": 1, "weights": str(file)}})
    assert lineage == {
        "run_id": "r",
        "settings": {"seed": 1, "weights": "old.weights.h5"},
        "weights_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }


def test_lineage_identifies_pretrained_weights_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the file in the package, whose name stays in the settings as imagenet."""
    start = Origin("package", "0.1.0", "lite2.pth", "ab12", "a licence")
    monkeypatch.setattr(finish, "origin", lambda architecture: start)
    for architecture, known in (("efficientnet-lite2", {"weights_sha256": "ab12"}), ("xception", {})):
        settings = {"architecture": architecture, "weights": "imagenet"}
        assert portable({"run_id": "r", "settings": settings}) == {"run_id": "r", "settings": settings, **known}
