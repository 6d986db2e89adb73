"""The work folder: whose run it holds, and whether a run may go on in it or start anew."""

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
    """As JSON reads it back, which knows no tuples."""
    run: dict[str, Any] = json.loads(json.dumps({"settings": asdict(settings), "data_sha256": data_sha256}))
    return run


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    old, new = known.get("settings", {}), wanted["settings"]
    names = [f"{name} {old.get(name)} -> {new[name]}" for name in new if old.get(name) != new[name]]
    return names + ["other photos"] * (known.get("data_sha256") != wanted["data_sha256"])


def clear(work: Path) -> None:
    """Forgets the run; records of earlier runs and the candidate stay."""
    for name in (RUN, HISTORY, BEST):
        (work / name).unlink(missing_ok=True)
    for name in (CHECKPOINTS, TENSORBOARD):
        shutil.rmtree(work / name, ignore_errors=True)


def _known_run(work: Path) -> dict[str, Any]:
    file = work / RUN
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return known


def open_work(work: Path, settings: Settings, data_sha256: str, fresh: bool = False) -> None:
    """Makes the folder ready for a run: goes on with the same one, makes room where another has ended.

    Raises ValueError, one line, where another run of other settings or photos has not ended, unless `fresh`.
    """
    work.mkdir(parents=True, exist_ok=True)
    known = _known_run(work)
    differences = _differences(known, _run_of(settings, data_sha256))
    if not fresh and not known and (work / BEST).exists():
        raise ValueError(
            f"{work} holds weights of an unknown run, without {RUN}: move them, or start anew with --fresh"
        )
    if not fresh and known and differences:
        history = read_history(work)
        if not finished(settings_for(**known["settings"]), history):
            raise ValueError(
                f"{work} holds an unfinished run of {len(history)} epochs with other settings"
                f" ({', '.join(differences)}): repeat its command to go on, or start anew with --fresh"
            )
    if fresh or differences:
        clear(work)


def claim_work(work: Path, settings: Settings, data_sha256: str) -> dict[str, Any]:
    """Writes whose run it is now, beside what the tracking has noted, and returns it; its `work_id` stays the same."""
    claimed = {"work_id": uuid.uuid4().hex} | _known_run(work) | _run_of(settings, data_sha256)
    write_json(work / RUN, claimed)
    return claimed


def adopt_work(work: Path, settings: Settings, data_sha256: str) -> None:
    """Takes what lies there for this run's; ValueError, one line, where it is known to be another's."""
    known = _known_run(work)
    differences = _differences(known, _run_of(settings, data_sha256))
    if known and differences:
        raise ValueError(f"{work} holds a run with other settings ({', '.join(differences)}): give those of the run")
    claim_work(work, settings, data_sha256)
