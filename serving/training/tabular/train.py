"""Searches, fits, exports, measures and judges a model of made-up customers: python -m training.tabular.train

Exit code 0: the candidate may be pushed. 3: the version in place is better. 1: one line says what was wrong.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..gate import decide, sentences
from ..origin import lineage
from ..served import tensorflow_call
from ..settings import VERSION
from .customers import Customers, Parts, draw_parts, fingerprint
from .evaluate import measure
from .export import milliseconds
from .fit import ANSWER, FitSettings, History, fit
from .folder import Samples, write_evaluation, write_version
from .network import Network, rows_of
from .record import open_run
from .tune import tune

NAME = "churn-synthetic"
ABOUT = "Tells which made-up customers leave; trained from scratch, and held against the truth that they were drawn by."
PROBABILITY = f"{ANSWER}_probability"
SAMPLES = 40
REFUSED = 3
SERVING = Path(__file__).resolve().parents[2]


def _test(version: Path, customers: Customers) -> dict[str, Any]:
    """Figures of what the exported SavedModel answers."""
    outputs = tensorflow_call(version)(customers.columns)
    return measure(outputs[PROBABILITY].astype(np.float64), outputs[ANSWER].astype(np.bool_), customers)


def _samples(network: Network, customers: Customers) -> Samples:
    """The first of the test customers, with the network's own answers."""
    columns = customers.part(0, SAMPLES).columns
    return Samples(rows_of(columns), rows_of(network.outputs(columns)))


def _evaluate(version: Path, parts: Parts) -> dict[str, Any]:
    """What the gate compares: of the candidate, and again of the version in place."""
    return {
        "version": int(version.name),
        "test": _test(version, parts.test),
        "validation": _test(version, parts.validation),
        "milliseconds": [milliseconds(version, parts.test.part(0, 1).columns)],
    }


def _in_place(folder: Path) -> Path | None:
    """The newest version of a model folder, if there is one."""
    versions = [entry for entry in folder.glob("*") if entry.name.isdecimal() and entry.is_dir()]
    return max(versions, key=lambda version: int(version.name), default=None)


def make(parts: Parts, settings: FitSettings, work: Path, models: Path) -> dict[str, Any]:
    """Fits, exports to WORK/candidate, measures, and holds the candidate against the version in place; its evaluation.

    Unless the gate refuses it, it is registered.
    """
    folder, sha256 = work / "candidate" / NAME, fingerprint(parts)
    folder.mkdir(parents=True, exist_ok=True)
    with open_run(NAME, asdict(settings), sha256, work) as run:
        network, history = fit(parts, settings)
        for row in history:
            run.log_epoch(row)
        figures = write_version(folder, network, _samples(network, parts.test))
        candidate = {
            "model": NAME,
            "architecture": f"dense, {settings.units} units",
            "about": ABOUT,
            "lineage": lineage(run.run_id, asdict(settings), sha256),
            **_evaluate(folder / str(VERSION), parts),
            "truth": measure(parts.test.probabilities, parts.test.probabilities >= network.threshold, parts.test),
            **figures,
            **_training(history),
        }
        in_place = _in_place(models / NAME)
        candidate["gate"] = decide(candidate, _evaluate(in_place, parts) if in_place else None)
        write_evaluation(folder, candidate)
        run.log_evaluation(candidate, [])
        if candidate["gate"]["decision"] != "refused":
            run.register(folder, folder / str(VERSION), "champion")
    return candidate


def _training(history: History) -> dict[str, Any]:
    best = min(history, key=lambda row: row["validation_loss"])
    return {"history": history, "training": {"epochs": len(history), "best_epoch": int(best["epoch"])}}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular.train", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--work", type=Path, default=SERVING / "training" / "work", help="candidate, record (%(default)s)"
    )
    parser.add_argument("--models", type=Path, default=SERVING / "models", help="the model in place (%(default)s)")
    parser.add_argument("--trials", type=int, default=12, help="of the search; 0 takes the settings as they are")
    return parser.parse_args()


def main() -> None:
    """One straight line; exit code 3 for a candidate that the gate refuses."""
    given, parts, settings = arguments(), draw_parts(), FitSettings()
    try:
        if given.trials:
            settings = tune(parts, settings, given.work, given.trials)
        made = make(parts, settings, given.work, given.models)
    except (ValueError, OSError) as error:
        raise SystemExit(f"training.tabular.train: {error}") from error
    test, truth = made["test"]["accuracy_against_truth"], made["truth"]["accuracy_against_truth"]
    print(f"{NAME}: test {test:.4f} of {truth:.4f} that can be known, in {given.work / 'candidate' / NAME}")
    print("\n".join(sentences(made["gate"])))
    sys.exit(REFUSED if made["gate"]["decision"] == "refused" else 0)


if __name__ == "__main__":
    main()
