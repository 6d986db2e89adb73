"""Turns the best weights of a run into a candidate: a model folder of one version, proven, measured and judged."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from .calibrate import fit_temperature
from .card import write_card
from .data import Photo, tensors
from .evaluate import evaluate, milliseconds, sizes
from .export import export, prove
from .gate import decide
from .history import Row, best_row, read_history
from .json_file import write_json
from .model import build_served, build_trunk
from .parity import write_parity
from .served import tensorflow_scores
from .settings import NAME, VERSION, Settings
from .split import split_photos
from .work import BEST

# Written by hand, together with data.py: what the gateway has to do to a photo.
MODEL_FILE = Path(__file__).resolve().parents[1] / "models" / NAME / "model.yaml"
# Pairs of formats and signatures are compared on so many photos.
PROOFS = 100
# CPU time is measured on so many.
THREADS = (1, 2)
Figures = dict[str, Any]


class Job(NamedTuple):
    """A run: its photos, its work folder, the folder of models that it is for, its settings, and the model's name."""

    data: Path
    work: Path
    models: Path
    settings: Settings
    name: str = NAME

    @property
    def candidate(self) -> Path:
        """The model folder that the run makes."""
        return self.work / "candidate" / self.name


def best_trunk(work: Path, settings: Settings) -> keras.Model:
    """The network with the weights of the best epoch; ValueError where there is none yet."""
    if not (work / BEST).exists():
        raise ValueError(f"{work / BEST}: not there, no epoch has ended yet")
    trunk = build_trunk(settings)
    trunk.load_weights(work / BEST)
    return trunk


def temperature_of(trunk: keras.Model, settings: Settings, validation: list[Photo]) -> float:
    """What the logits have to be divided by to mean probabilities, fitted on the validation photos."""
    served = build_served(trunk, settings.pool, settings.side)
    logits = np.concatenate([served(batch, training=False) for batch in tensors(validation)])
    return fit_temperature(logits, np.array([photo.label for photo in validation]))


def evaluation_file(model_folder: Path) -> Path:
    """Where a candidate's figures stand."""
    return model_folder / "evaluation" / f"{VERSION}.json"


def _add(model_folder: Path, figures: Figures) -> Figures:
    file = evaluation_file(model_folder)
    known = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, known | figures)
    return known | figures


def _every_kind(photos: list[Photo]) -> list[Photo]:
    """A hundred photos of all classes, or all of them."""
    return photos[:: max(1, len(photos) // PROOFS)][:PROOFS]


def export_candidate(job: Job) -> Figures:
    """Step one: model.yaml, the version in both formats, its parity samples. The folder appears only when it is whole.

    Raises ValueError where two formats or signatures disagree.
    """
    unfinished = job.candidate.with_name(f".{job.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    card = MODEL_FILE.read_text().replace(f"name: {NAME}\n", f"name: {job.name}\n")
    (unfinished / MODEL_FILE.name).write_text(card)
    trunk, version = best_trunk(job.work, job.settings), unfinished / str(VERSION)
    validation = split_photos(job.data, job.settings.split).validation
    temperature = temperature_of(trunk, job.settings, validation)
    export(trunk, version, job.settings, temperature)
    write_parity(unfinished / "parity", VERSION, tensorflow_scores(version))
    figures = {
        "version": VERSION,
        "model": job.name,
        "architecture": job.settings.architecture,
        "temperature": round(temperature, 4),
        "parameters": trunk.count_params(),
        "sizes": sizes(version),
        "difference": prove(version, _every_kind(validation)),
    }
    _add(unfinished, figures)
    shutil.rmtree(job.candidate, ignore_errors=True)
    unfinished.rename(job.candidate)
    return figures


def _training(history: list[Row]) -> Row:
    minutes = round(history[-1]["seconds"] / 60, 1)
    return {"epochs": len(history), "best_epoch": best_row(history)["epoch"], "minutes": minutes}


def evaluate_candidate(job: Job) -> Figures:
    """Step two: what the exported version makes of the held-out photos, and how fast."""
    split, version = split_photos(job.data, job.settings.split), job.candidate / str(VERSION)
    history = read_history(job.work)
    figures = {
        "test": evaluate(version, split.test),
        "validation": evaluate(version, split.validation),
        "milliseconds": [milliseconds(version, threads) for threads in THREADS],
        "history": history,
        "training": _training(history),
    }
    return _add(job.candidate, figures)


def _in_place(model_folder: Path) -> Path | None:
    """The newest version that serves; names with a dot are unfinished or withdrawn."""
    versions = [entry for entry in model_folder.glob("*") if entry.is_dir() and entry.name.isdigit()]
    return max(versions, key=lambda entry: int(entry.name), default=None)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def portable(lineage: Figures) -> Figures:
    """The lineage without this machine's paths: a file of starting weights is known by its bytes."""
    weights = lineage["settings"]["weights"]
    if weights is None or weights == "imagenet":
        return lineage
    file = Path(weights)
    known = {"weights_sha256": _sha256(file)} if file.exists() else {}
    return {**lineage, "settings": {**lineage["settings"], "weights": file.name}, **known}


def judge_candidate(job: Job, lineage: Figures) -> Figures:
    """Step three: the gate, against the version in place measured now on the same photos; the card says it all."""
    place, test = _in_place(job.models / job.name), split_photos(job.data, job.settings.split).test
    in_place = None
    if place is not None:
        # The gate's budget is for one thread.
        times = [milliseconds(place, threads=1)]
        in_place = {"version": int(place.name), "test": evaluate(place, test), "milliseconds": times}
    candidate = json.loads(evaluation_file(job.candidate).read_text())
    evaluation = _add(job.candidate, {"lineage": portable(lineage), "gate": decide(candidate, in_place)})
    write_card(job.candidate, VERSION)
    return evaluation
