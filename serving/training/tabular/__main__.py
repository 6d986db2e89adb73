"""Writes model folders for published table models, given as coefficients: python -m training.tabular --models DIR"""

import argparse
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..origin import lineage
from ..served import tensorflow_call
from ..settings import VERSION
from .folder import Samples, write_evaluation, write_version
from .network import columns_of
from .published import NUMBERS, Published, read_published
from .record import open_run
from .unchanged import is_unchanged

SERVING = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular", description=__doc__)
    own = sorted(NUMBERS.glob("*.json"))
    parser.add_argument("--numbers", type=Path, nargs="+", default=own, help="one or more NAME.json (churn and credit)")
    parser.add_argument(
        "--models", type=Path, default=SERVING / "models", help="folder to write NAME/ to (%(default)s)"
    )
    parser.add_argument(
        "--work", type=Path, default=SERVING / "training" / "work", help="folder of the MLflow store (%(default)s)"
    )
    return parser.parse_args()


def _published_answers(given: Published, version: Path, name: str) -> list[dict[str, float]]:
    answered = tensorflow_call(version)(columns_of(given.network.features, given.rows))[name]
    return [
        {"published": published, "answered": float(answered[place])}
        for place, published in enumerate(given.published)
        if published is not None
    ]


def _described(given: Published, folder: Path, figures: dict[str, Any], lineage: dict[str, Any]) -> dict[str, Any]:
    """The evaluation of the version in a folder."""
    return {
        "version": VERSION,
        "model": folder.name,
        "architecture": "logistic regression",
        "about": given.about,
        "lineage": lineage,
        "published": _published_answers(given, folder / str(VERSION), f"{given.network.answer}_probability"),
        **figures,
    }


def _known(folder: Path, given: Published, settings: dict[str, Any], fingerprint: str) -> dict[str, Any] | None:
    """The evaluation in the folder if writing the model again would change nothing.

    The run, its environment and what depends on the machine (the size of a random number, rounding) do not count.
    """
    file = folder / "evaluation" / f"{VERSION}.json"
    evaluation: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    lineage = evaluation.get("lineage", {})
    if lineage.get("data_sha256") != fingerprint or lineage.get("settings") != settings:
        return None
    with TemporaryDirectory() as scratch:
        draft = Path(scratch) / folder.name
        figures = write_version(draft, given.network, Samples(given.rows, given.outputs))
        measured: dict[str, Any] = {name: evaluation.get(name) for name in ("sizes", "difference")}
        write_evaluation(draft, _described(given, draft, {**figures, **measured}, lineage))
        return evaluation if is_unchanged(folder, draft) else None


def make(numbers: Path, models: Path, work: Path) -> dict[str, Any]:
    """Exports a model, checks it on its examples, records and registers it. Returns its evaluation.

    A folder that holds the same model already stays as it is.
    """
    given, folder = read_published(numbers), models / numbers.stem
    fingerprint = hashlib.sha256(numbers.read_bytes()).hexdigest()
    settings = {"numbers": numbers.name, "threshold": given.network.threshold}
    known = _known(folder, given, settings, fingerprint)
    if known is not None:
        return known
    with open_run(folder.name, settings, fingerprint, work) as run:
        figures = write_version(folder, given.network, Samples(given.rows, given.outputs))
        evaluation = _described(given, folder, figures, lineage(run.run_id, settings, fingerprint))
        write_evaluation(folder, evaluation)
        run.log_evaluation(evaluation, [])
        run.register(folder, folder / str(VERSION), "champion")
    return evaluation


def main() -> None:
    """Runs the command."""
    given = arguments()
    for numbers in given.numbers:
        try:
            evaluation = make(numbers, given.models, given.work)
        except (ValueError, OSError) as error:
            raise SystemExit(f"training.tabular: {error}") from error
        print(
            f"{given.models / numbers.stem}: {evaluation['rows']} examples match within {evaluation['difference']:.1e}"
        )


if __name__ == "__main__":
    main()
