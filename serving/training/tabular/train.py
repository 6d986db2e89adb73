"""Searches, trains, exports and evaluates a model of synthetic customers: python -m training.tabular.train

Exit codes: 0: the candidate may be pushed. 3: the gate refused it. 1: an error, described in one line.
"""

import argparse
import shutil
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
from .labelled import with_labelled
from .network import THRESHOLD, Network, rows_of
from .record import open_run
from .tune import tune

NAME = "churn-synthetic"
ABOUT_LABELLED = "Predicts which synthetic customers leave. Trained from scratch, on labelled predictions too."
ABOUT = "Predicts which synthetic customers leave. Trained from scratch and compared with the true probabilities."
PROBABILITY = f"{ANSWER}_probability"
SAMPLES = 40
REFUSED = 3
SERVING = Path(__file__).resolve().parents[2]


def _test(version: Path, customers: Customers) -> dict[str, Any]:
    """Metrics of the exported SavedModel."""
    outputs = tensorflow_call(version)(customers.columns)
    return measure(outputs[PROBABILITY].astype(np.float64), outputs[ANSWER].astype(np.bool_), customers)


def _samples(network: Network, customers: Customers) -> Samples:
    """The first test customers, with the network's outputs."""
    columns = customers.part(0, SAMPLES).columns
    return Samples(rows_of(columns), rows_of(network.outputs(columns)))


def _evaluate(version: Path, parts: Parts) -> dict[str, Any]:
    """The part of an evaluation that the gate compares between candidate and current version."""
    return {
        "version": int(version.name),
        "test": _test(version, parts.test),
        "validation": _test(version, parts.validation),
        "milliseconds": [milliseconds(version, parts.test.part(0, 1).columns)],
    }


def _in_place(folder: Path) -> Path | None:
    """The newest version of a model folder, or None."""
    versions = [entry for entry in folder.glob("*") if entry.name.isdecimal() and entry.is_dir()]
    return max(versions, key=lambda version: int(version.name), default=None)


def make(parts: Parts, settings: FitSettings, work: Path, models: Path) -> dict[str, Any]:
    """Trains, exports to WORK/candidate, evaluates and applies the gate. Returns the evaluation.

    Registers the candidate unless the gate refuses it.
    """
    folder, sha256 = work / "candidate" / NAME, fingerprint(parts)
    folder.mkdir(parents=True, exist_ok=True)
    # One candidate at a time: `make push` takes the one that is there.
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other)
    with open_run(NAME, asdict(settings), sha256, work) as run:
        network, history = fit(parts, settings)
        for row in history:
            run.log_epoch(row)
        figures = write_version(folder, network, _samples(network, parts.test), held_out=parts.test.columns)
        candidate = {
            "model": NAME,
            "architecture": f"dense, {settings.units} units",
            "about": ABOUT if parts.test.probabilities is not None else ABOUT_LABELLED,
            "lineage": lineage(run.run_id, asdict(settings), sha256),
            **_evaluate(folder / str(VERSION), parts),
            **_truth(parts.test),
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


def _truth(customers: Customers) -> dict[str, Any]:
    """The metrics of the true probabilities, if they are known: the best result possible."""
    truth = customers.probabilities
    return {} if truth is None else {"truth": measure(truth, truth >= THRESHOLD, customers)}


def _training(history: History) -> dict[str, Any]:
    best = min(history, key=lambda row: row["validation_loss"])
    return {"history": history, "training": {"epochs": len(history), "best_epoch": int(best["epoch"])}}


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular.train", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--work", type=Path, default=SERVING / "training" / "work", help="candidate and MLflow store (%(default)s)"
    )
    parser.add_argument(
        "--models", type=Path, default=SERVING / "models", help="folder of current models (%(default)s)"
    )
    parser.add_argument(
        "--log", type=Path, help="prediction log with labels: its customers are trained on too, and decide in the gate"
    )
    parser.add_argument("--trials", type=int, default=12, help="trials of the search; 0: use the default settings")
    return parser.parse_args()


def _result(made: dict[str, Any]) -> str:
    test = made["test"]
    if "truth" not in made:
        return f"test {test['accuracy']:.4f} of {test['rows']} labelled predictions"
    return f"test {test['accuracy_against_truth']:.4f}, best possible {made['truth']['accuracy_against_truth']:.4f}"


def main() -> None:
    """Runs the command. Exit code 3 if the gate refuses the candidate."""
    given, parts, settings = arguments(), draw_parts(), FitSettings()
    try:
        if given.log:
            parts = with_labelled(parts, given.log, NAME)
        if given.trials:
            settings = tune(parts, settings, given.work, given.trials)
        made = make(parts, settings, given.work, given.models)
    except (ValueError, OSError) as error:
        raise SystemExit(f"training.tabular.train: {error}") from error
    print(f"{NAME}: {_result(made)}, in {given.work / 'candidate' / NAME}")
    print("\n".join(sentences(made["gate"])))
    sys.exit(REFUSED if made["gate"]["decision"] == "refused" else 0)


if __name__ == "__main__":
    main()
