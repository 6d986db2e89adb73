"""Makes a candidate of a run's best weights: exports, checks and evaluates it, and applies the gate."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from .calibrate import fit_temperature
from .card import ABOUT, write_card
from .data import Photo, tensors
from .evaluate import evaluate, milliseconds, sizes
from .export import export, prove
from .gate import decide
from .history import Row, best_row, read_history
from .json_file import write_json
from .model import build_served, build_trunk
from .names import name_of, write_candidate_file
from .parity import write_parity
from .picture_baseline import write_picture_baseline
from .pretrained import IMAGENET, PACKAGES, origin
from .served import tensorflow_scores
from .settings import VERSION, Settings
from .split import split_photos
from .work import BEST

# Photos on which formats and signatures are compared.
PROOFS = 100
# Thread counts for the CPU time measurement.
THREADS = (1, 2)
Figures = dict[str, Any]


class Job(NamedTuple):
    """A run: the photos, the work folder, the folder of current models, the settings and the model's name."""

    data: Path
    work: Path
    models: Path
    settings: Settings
    name: str

    @property
    def candidate(self) -> Path:
        """The model folder that the run writes."""
        return self.work / "candidate" / self.name


def best_trunk(work: Path, settings: Settings, classes: int) -> keras.Model:
    """The network with the weights of the best epoch. Raises ValueError if no epoch has finished."""
    if not (work / BEST).exists():
        raise ValueError(f"{work / BEST}: not found, no epoch has finished yet")
    trunk = build_trunk(settings, classes)
    trunk.load_weights(work / BEST)
    return trunk


def temperature_of(trunk: keras.Model, settings: Settings, validation: list[Photo]) -> float:
    """The temperature that calibrates the logits, fitted on the validation photos."""
    served = build_served(trunk, settings)
    logits = np.concatenate([served(batch, training=False) for batch in tensors(validation)])
    return fit_temperature(logits, np.array([photo.label for photo in validation]))


def evaluation_file(model_folder: Path) -> Path:
    """The path of a candidate's evaluation."""
    return model_folder / "evaluation" / f"{VERSION}.json"


def _add(model_folder: Path, figures: Figures) -> Figures:
    file = evaluation_file(model_folder)
    known = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, known | figures)
    return known | figures


def _every_kind(photos: list[Photo]) -> list[Photo]:
    """At most 100 photos, evenly spread over all classes."""
    return photos[:: max(1, len(photos) // PROOFS)][:PROOFS]


def _pretrained(settings: Settings) -> Figures:
    """What the model owes its start to, if that came from a package."""
    known = settings.weights == IMAGENET and settings.architecture in PACKAGES
    return {"pretrained": origin(settings.architecture)._asdict()} if known else {}


def export_candidate(job: Job) -> Figures:
    """Step one: writes model.yaml, the version in both formats and its parity samples. The folder appears atomically.

    Raises ValueError if two formats or signatures differ.
    """
    unfinished = job.candidate.with_name(f".{job.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    split = split_photos(job.data, job.settings.split)
    name_of(job.data, split.classes, job.models, job.name)
    write_candidate_file(unfinished, job.name, split.classes, job.models)
    known = job.models / job.name / ABOUT
    if known.exists():
        (unfinished / ABOUT.parent).mkdir()
        shutil.copyfile(known, unfinished / ABOUT)
    trunk, version = best_trunk(job.work, job.settings, len(split.classes)), unfinished / str(VERSION)
    validation = split.validation
    temperature = temperature_of(trunk, job.settings, validation)
    export(trunk, version, job.name, job.settings, temperature)
    write_parity(unfinished / "parity", VERSION, tensorflow_scores(version))
    write_picture_baseline(unfinished, version, job.name, split.test, split.classes)
    figures = {
        "version": VERSION,
        "model": job.name,
        "architecture": job.settings.architecture,
        "temperature": round(temperature, 4),
        "parameters": trunk.count_params(),
        "sizes": sizes(version),
        "difference": prove(version, _every_kind(validation)),
        **_pretrained(job.settings),
    }
    _add(unfinished, figures)
    # One candidate at a time: `make push` takes the one that is there.
    for other in job.candidate.parent.iterdir():
        if other != unfinished:
            shutil.rmtree(other)
    unfinished.rename(job.candidate)
    return figures


def _training(history: list[Row]) -> Row:
    minutes = round(history[-1]["seconds"] / 60, 1)
    return {"epochs": len(history), "best_epoch": best_row(history)["epoch"], "minutes": minutes}


def evaluate_candidate(job: Job) -> Figures:
    """Step two: evaluates the exported version on the validation and test photos, and measures its time."""
    split, version = split_photos(job.data, job.settings.split), job.candidate / str(VERSION)
    history = read_history(job.work)
    figures = {
        "test": evaluate(version, split.test, split.classes),
        "validation": evaluate(version, split.validation, split.classes),
        "milliseconds": [milliseconds(version, threads) for threads in THREADS],
        "history": history,
        "training": _training(history),
    }
    return _add(job.candidate, figures)


def _in_place(model_folder: Path) -> Path | None:
    """The newest version of the model. Names with a dot are unfinished or withdrawn versions."""
    versions = [entry for entry in model_folder.glob("*") if entry.is_dir() and entry.name.isdigit()]
    return max(versions, key=lambda entry: int(entry.name), default=None)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def portable(lineage: Figures) -> Figures:
    """The lineage without local paths: a file of initial weights is identified by name and SHA-256."""
    weights, architecture = lineage["settings"]["weights"], lineage["settings"].get("architecture")
    if weights == IMAGENET and architecture in PACKAGES:
        return {**lineage, "weights_sha256": origin(architecture).sha256}
    if weights is None or weights == IMAGENET:
        return lineage
    file = Path(weights)
    known = {"weights_sha256": _sha256(file)} if file.exists() else {}
    return {**lineage, "settings": {**lineage["settings"], "weights": file.name}, **known}


def judge_candidate(job: Job, lineage: Figures) -> Figures:
    """Step three: applies the gate against the current version, evaluated now on the same photos. Writes the card."""
    place, split = _in_place(job.models / job.name), split_photos(job.data, job.settings.split)
    in_place = None
    if place is not None:
        # The gate's time limit is for one thread.
        times = [milliseconds(place, threads=1)]
        in_place = {"version": int(place.name), "test": evaluate(place, split.test, split.classes)}
        in_place["milliseconds"] = times
    candidate = json.loads(evaluation_file(job.candidate).read_text())
    evaluation = _add(job.candidate, {"lineage": portable(lineage), "gate": decide(candidate, in_place)})
    write_card(job.candidate, VERSION)
    return evaluation
