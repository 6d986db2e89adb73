"""Which run a work folder contains."""

import json
from pathlib import Path

import pytest

from training.atomic import replacing
from training.history import HISTORY
from training.json_file import write_json
from training.settings import Settings
from training.work import BEST, CHECKPOINTS, RUN, adopt_work, claim_work, open_work

ROW = {"epoch": 1, "seconds": 60.0, "accuracy": 0.5, "validation_loss": 1.0}


def _begin(work: Path, settings: Settings, epochs: int) -> None:
    open_work(work, settings, "abc")
    claim_work(work, settings, "abc")
    (work / CHECKPOINTS).mkdir()
    (work / BEST).touch()
    write_json(work / HISTORY, [ROW | {"epoch": epoch} for epoch in range(1, epochs + 1)])


def test_the_same_run_is_resumed(tmp_path: Path) -> None:
    """The fields written by track.py are kept."""
    _begin(tmp_path, Settings(epochs=3), 1)
    write_json(tmp_path / RUN, json.loads((tmp_path / RUN).read_text()) | {"run_id": "r"})
    open_work(tmp_path, Settings(epochs=3), "abc")
    claim_work(tmp_path, Settings(epochs=3), "abc")
    assert json.loads((tmp_path / RUN).read_text())["run_id"] == "r"
    assert (tmp_path / BEST).exists() and (tmp_path / CHECKPOINTS).exists()


@pytest.mark.parametrize(
    ("settings", "photos", "difference"),
    [
        (Settings(epochs=4, seed=2), "abc", r"epochs 3 -> 4, seed 1 -> 2"),
        (Settings(epochs=3), "abd", "other photos"),
    ],
)
def test_another_unfinished_run_is_refused(tmp_path: Path, settings: Settings, photos: str, difference: str) -> None:
    """One line has the differences and the way to restart. No file is changed."""
    _begin(tmp_path, Settings(epochs=3), 1)
    with pytest.raises(ValueError, match=rf"unfinished run of 1 epochs .*{difference}.*--fresh") as caught:
        open_work(tmp_path, settings, photos)
    assert "\n" not in str(caught.value)
    assert (tmp_path / BEST).exists()


def test_fresh_deletes_only_the_run(tmp_path: Path) -> None:
    """The MLflow store is kept."""
    _begin(tmp_path, Settings(epochs=3), 1)
    (tmp_path / "mlflow.db").touch()
    open_work(tmp_path, Settings(epochs=4), "abc", fresh=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_finished_run_is_replaced(tmp_path: Path) -> None:
    """Its candidate exists, so scheduled retraining needs no manual step."""
    _begin(tmp_path, Settings(epochs=3), 3)
    open_work(tmp_path, Settings(epochs=3), "new photos")
    assert not (tmp_path / BEST).exists()


def test_weights_of_an_unknown_run_are_not_deleted(tmp_path: Path) -> None:
    """They may have taken hours to train."""
    (tmp_path / BEST).touch()
    with pytest.raises(ValueError, match="unknown run"):
        open_work(tmp_path, Settings(), "abc")
    adopt_work(tmp_path, Settings(), "abc")
    open_work(tmp_path, Settings(), "abc")
    assert (tmp_path / BEST).exists()


def test_export_needs_the_settings_of_the_run(tmp_path: Path) -> None:
    """Otherwise its lineage would be wrong."""
    _begin(tmp_path, Settings(epochs=3), 3)
    adopt_work(tmp_path, Settings(epochs=3), "abc")
    with pytest.raises(ValueError, match="epochs 3 -> 4"):
        adopt_work(tmp_path, Settings(epochs=4), "abc")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """Files are replaced atomically."""
    file = tmp_path / "a.weights.h5"
    file.write_text("old")

    def write_half() -> None:
        with replacing(file) as unfinished:
            assert unfinished.name.endswith(".weights.h5") and unfinished.parent == tmp_path
            unfinished.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        write_half()
    assert file.read_text() == "old"
