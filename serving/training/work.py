"""The work folder: which run it contains, and whether a run can resume in it or replace it."""

import json
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .history import HISTORY, read_history
from .json_file import write_json
from .schedule import finished
from .settings import Settings, settings_for

RUN = "run.json"
BEST = "best.weights.h5"
CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"


def _run_of(settings: Settings, data_sha256: str) -> dict[str, Any]:
    """The run as it is read back from JSON, with lists instead of tuples."""
    run: dict[str, Any] = json.loads(json.dumps({"settings": asdict(settings), "data_sha256": data_sha256}))
    return run


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    old, new = known.get("settings", {}), wanted["settings"]
    names = [f"{name} {old.get(name)} -> {new[name]}" for name in new if old.get(name) != new[name]]
    return names + ["other photos"] * (known.get("data_sha256") != wanted["data_sha256"])


def clear(work: Path) -> None:
    """Deletes the run's files. MLflow's records and the candidate stay."""
    for name in (RUN, HISTORY, BEST):
        (work / name).unlink(missing_ok=True)
    for name in (CHECKPOINTS, TENSORBOARD):
        shutil.rmtree(work / name, ignore_errors=True)


def _known_run(work: Path) -> dict[str, Any]:
    file = work / RUN
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return known


def open_work(work: Path, settings: Settings, data_sha256: str, fresh: bool = False) -> None:
    """Prepares the folder: keeps the files of the same run, clears those of a finished run.

    Raises ValueError, one line, if it has an unfinished run with other settings or photos, unless `fresh`.
    """
    work.mkdir(parents=True, exist_ok=True)
    known = _known_run(work)
    differences = _differences(known, _run_of(settings, data_sha256))
    if not fresh and not known and (work / BEST).exists():
        raise ValueError(f"{work} has weights of an unknown run, without {RUN}: move them, or restart with --fresh")
    if not fresh and known and differences:
        history = read_history(work)
        if not finished(settings_for(**known["settings"]), history):
            raise ValueError(
                f"{work} has an unfinished run of {len(history)} epochs with other settings"
                f" ({', '.join(differences)}): repeat its command to resume, or restart with --fresh"
            )
    if fresh or differences:
        clear(work)


def claim_work(work: Path, settings: Settings, data_sha256: str) -> dict[str, Any]:
    """Writes the run to run.json and returns it. Keeps `work_id` and the fields written by track.py."""
    claimed = {"work_id": uuid.uuid4().hex} | _known_run(work) | _run_of(settings, data_sha256)
    write_json(work / RUN, claimed)
    return claimed


def adopt_work(work: Path, settings: Settings, data_sha256: str) -> None:
    """Uses the folder's files for this run. Raises ValueError, one line, if they belong to another run."""
    known = _known_run(work)
    differences = _differences(known, _run_of(settings, data_sha256))
    if known and differences:
        raise ValueError(
            f"{work} has a run with other settings ({', '.join(differences)}): use the settings of the run"
        )
    claim_work(work, settings, data_sha256)
