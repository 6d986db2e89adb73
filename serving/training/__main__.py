"""Trains, exports, measures and judges a model: python -m training --data DIR; run it again to go on after a stop.

Exit code 0: the candidate may be pushed. 3: the version in place is better. 1: one line says what was wrong.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .data import data_sha256
from .finish import Job, evaluate_candidate, export_candidate, judge_candidate
from .gate import alias_of, sentences
from .settings import DEFAULTS, NAME, SIDES, SPLITS, VERSION, Settings, settings_for
from .split import split_photos
from .track import lineage_of, start_run
from .train import train
from .work import adopt_work, open_work

SERVING = Path(__file__).resolve().parents[1]
REFUSED = 3
PLACES = ("data", "work", "models", "settings", "fresh", "export_only")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """What is turned often; the rest stands in a file for --settings. Only what is given overrides."""
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    group.add_argument("--settings", type=Path, help="JSON with any fields of Settings, such as tune's best.json")
    group.add_argument("--architecture", choices=list(DEFAULTS), help="(xception-small)")
    group.add_argument("--weights", help='file to start from, or "imagenet" (xception: imagenet, else chance)')
    group.add_argument("--split", choices=SPLITS, help="the data set's own folders, or a hash of each name (folders)")
    group.add_argument("--pool", type=int, choices=list(SIDES), help="side of the squares averaged first (3)")
    group.add_argument("--epochs", type=int, help="length of the schedule (60; xception 30)")
    group.add_argument("--max-minutes", type=float, help="let the clock be the schedule, whatever the machine's speed")
    group.add_argument("--patience", type=int, help="epochs without a better one before it stops (15)")
    group.add_argument("--learning-rate", type=float, help="at its peak (2e-3)")
    group.add_argument("--ema-decay", type=float, help="of the running average of the weights (0.997)")
    group.add_argument("--batch", type=int, help="photos in a step (32)")
    group.add_argument("--seed", type=int, help="(1)")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train, validation and test")
    parser.add_argument("--work", type=Path, default=SERVING / "training" / "work", help="the run (%(default)s)")
    parser.add_argument("--models", type=Path, default=SERVING / "models", help="versions to beat (%(default)s)")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--fresh", action="store_true", help="forget the run in the work folder")
    begin.add_argument("--export-only", action="store_true", help="no training: the best weights so far")
    _add_settings(parser)
    return parser.parse_args()


def settings_of(given: argparse.Namespace) -> Settings:
    """The architecture's defaults, then the file's fields, then the options; ValueError names what is wrong."""
    options: dict[str, Any] = {name: value for name, value in vars(given).items() if name not in PLACES}
    file = getattr(given, "settings", None)
    try:
        fields: dict[str, Any] = json.loads(file.read_text()) if file else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    if "pool" in options:
        # They follow from the pool.
        fields.pop("sides", None)
    return settings_for(**(fields | options))


def run(job: Job, fresh: bool, export_only: bool) -> dict[str, Any]:
    """The straight line from photos to a decision; the evaluation with the gate's part."""
    fingerprint = data_sha256(split_photos(job.data, job.settings.split).photos)
    if export_only:
        adopt_work(job.work, job.settings, fingerprint)
    else:
        open_work(job.work, job.settings, fingerprint, fresh)
    with start_run(job.settings, job.work, fingerprint) as record:
        if not export_only:
            train(job.data, job.work, job.settings, record.log_epoch)
        export_candidate(job)
        evaluate_candidate(job)
        evaluation = judge_candidate(job, lineage_of(record, job.settings, fingerprint))
        record.log_evaluation(evaluation, sorted((job.candidate / "card").glob("*.png")))
        record.register(job.candidate, job.candidate / str(VERSION), alias_of(evaluation["gate"]))
    return evaluation


def main() -> None:
    """One line for the accuracy, one for each reason of the gate."""
    given = arguments()
    try:
        job = Job(given.data, given.work, given.models, settings_of(given))
        evaluation = run(job, given.fresh, given.export_only)
    except (ValueError, OSError) as error:
        raise SystemExit(f"training: {error}") from error
    test, validation = evaluation["test"], evaluation["validation"]
    print(f"{NAME}: test {test['accuracy']:.4f}, validation {validation['accuracy']:.4f}, in {job.candidate}")
    print("\n".join(sentences(evaluation["gate"])))
    sys.exit(REFUSED if evaluation["gate"]["decision"] == "refused" else 0)


if __name__ == "__main__":
    main()
