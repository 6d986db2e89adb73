"""The Kubeflow pipeline: its compiled form, and a local run of all steps."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler
from kfp.dsl import Dataset

from training.pipeline import build_pipeline, run, split
from training.settings import NAME

STEPS = {"split", "tune", "train", "export", "evaluate", "push-and-wait"}
DEFAULTS = {
    "model_name": NAME,
    "settings": "{}",
    "epochs": 0,
    "trials": 0,
    "trial_epochs": 15,
    "tf_serving_host": "",
    "waiting_time_min": 10,
    "tracking_uri": "",
}


def _node_major() -> int:
    node = shutil.which("node")
    return int(subprocess.check_output([node, "-p", "process.versions.node"]).split(b".")[0]) if node else 0


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compiled pipeline."""
    file = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    compiler.Compiler().compile(build_pipeline("registry.example/training:1"), str(file))
    specification: dict[str, Any] = yaml.safe_load(file.read_text())
    return specification


def test_steps_depend_on_each_other(compiled: dict[str, Any]) -> None:
    """Each step waits for its inputs, so the last one runs after all others."""
    tasks = compiled["root"]["dag"]["tasks"]
    assert set(tasks) == STEPS
    needs = {name: set(task.get("dependentTasks", [])) for name, task in tasks.items()}
    assert needs["split"] == set() and needs["tune"] == {"split"} and needs["push-and-wait"] == {"evaluate"}
    assert needs["evaluate"] == {"split", "tune", "export"}


def test_has_its_parameters(compiled: dict[str, Any]) -> None:
    """Two are required."""
    parameters = compiled["root"]["inputDefinitions"]["parameters"]
    assert {name for name, spec in parameters.items() if not spec.get("isOptional")} == {"data_path", "models_path"}
    assert {name: spec.get("defaultValue") for name, spec in parameters.items() if spec.get("isOptional")} == DEFAULTS


def test_runs_in_the_given_image_and_installs_nothing(compiled: dict[str, Any]) -> None:
    """Steps need no network access except to the image registry."""
    for executor in compiled["deploymentSpec"]["executors"].values():
        assert executor["container"]["image"] == "registry.example/training:1"
        assert "pip" not in " ".join(executor["container"]["command"])


def test_split_and_push_are_not_cached(compiled: dict[str, Any]) -> None:
    """The contents of a folder can change under the same path."""
    cached = {
        name for name, task in compiled["root"]["dag"]["tasks"].items() if task["cachingOptions"].get("enableCache")
    }
    assert cached == STEPS - {"split", "push-and-wait"}


def test_photos_of_other_classes_are_refused_before_training(drawn: Path, tmp_path: Path) -> None:
    """A model never changes its classes."""
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "model.yaml").write_text("name: pets\nimage: {input: photo}\nclasses: [cat, dog]\n")
    with pytest.raises(ValueError, match="pets: has the classes cat, dog, not "):
        split(str(drawn), "{}", str(tmp_path), "pets", Dataset())


@pytest.mark.slow
@pytest.mark.skipif(_node_major() < 24, reason="no Node 24 in PATH to push with")
def test_runs_from_photos_to_a_pushed_version(drawn: Path, tmp_path: Path) -> None:
    """One epoch of a narrow network, with another model name."""
    models = tmp_path / "models"
    models.mkdir()
    small = {"architecture": "xception-small", "batch": 10, "width": 0.25, "sides": [[1.0, 40]]}
    settings = json.dumps({**small, "split": "hash"})
    given = {"data_path": str(drawn), "models_path": str(models), "settings": settings, "epochs": 1}
    summary = run(tmp_path / "work", {**given, "model_name": "drawn"})
    assert summary.startswith("drawn version 1: ")
    assert (models / "drawn" / "1" / "saved_model.pb").exists() and (models / "drawn" / "1" / "model.onnx").exists()
    assert "name: drawn\n" in (models / "drawn" / "model.yaml").read_text()
    evaluation = json.loads((models / "drawn" / "evaluation" / "1.json").read_text())
    assert evaluation["model"] == "drawn" and evaluation["gate"]["decision"] == "first"
    assert evaluation["lineage"]["settings"]["width"] == 0.25 and evaluation["training"]["epochs"] == 1
    assert (tmp_path / "work" / "mlflow.db").exists()
