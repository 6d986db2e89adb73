"""Trains, exports and evaluates a model: python -m training --data DIR. Run it again to resume an interrupted run.

Exit codes: 0: the candidate may be pushed. 3: the gate refused it. 1: an error, described in one line.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from .data import data_sha256
from .finish import Job, evaluate_candidate, export_candidate, judge_candidate
from .gate import alias_of, sentences
from .names import name_of
from .pretrained import PREFERRED, with_architecture
from .schedule import with_epochs
from .settings import DEFAULTS, SIDES, SPLITS, VERSION, Settings, settings_for
from .split import PARTS, split_kind, split_photos
from .track import lineage_of, start_run
from .train import train
from .work import adopt_work, open_work

SERVING = Path(__file__).resolve().parents[1]
REFUSED = 3
PLACES = ("data", "name", "work", "models", "settings", "fresh", "export_only")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the options for common settings. The others go into the --settings file. Options override the file."""
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    group.add_argument("--settings", type=Path, help="JSON file with fields of Settings, such as tune's best.json")
    group.add_argument(
        "--architecture", choices=list(DEFAULTS), help=f"({PREFERRED}, or xception-small without its package)"
    )
    group.add_argument("--weights", help='file with initial weights, or "imagenet" (imagenet; xception-small: random)')
    group.add_argument(
        "--split", choices=SPLITS, help="by the data set's folders, or by a hash of each file name (folders, if there)"
    )
    group.add_argument(
        "--pool",
        type=int,
        choices=list(SIDES),
        help="side of the pixel squares that are averaged first (xception-small: 3)",
    )
    group.add_argument(
        "--epochs",
        type=int,
        help="length of the schedule in epochs (xception-small 60, xception 30, efficientnet by the number of photos)",
    )
    group.add_argument("--max-minutes", type=float, help="length of the schedule in minutes, instead of epochs")
    group.add_argument("--patience", type=int, help="stop after so many epochs without improvement (15)")
    group.add_argument("--learning-rate", type=float, help="peak learning rate (by architecture)")
    group.add_argument("--ema-decay", type=float, help="decay of the moving average of the weights (by architecture)")
    group.add_argument("--batch", type=int, help="photos per step (32)")
    group.add_argument("--seed", type=int, help="random seed (1)")


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with one folder of photos for each class, or with such folders in train, validation and test",
    )
    parser.add_argument(
        "--name", help="name of the model (the model with these classes, or the name of the data folder)"
    )
    parser.add_argument("--work", type=Path, default=SERVING / "training" / "work", help="work folder (%(default)s)")
    parser.add_argument("--models", type=Path, default=SERVING / "models", help="current versions (%(default)s)")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--fresh", action="store_true", help="discard the run in the work folder")
    begin.add_argument("--export-only", action="store_true", help="do not train; export the best weights so far")
    _add_settings(parser)
    return parser.parse_args()


def settings_of(given: argparse.Namespace) -> Settings:
    """Merges the architecture's defaults, the --settings file and the options. Raises ValueError for invalid ones."""
    options: dict[str, Any] = {name: value for name, value in vars(given).items() if name not in PLACES}
    file = getattr(given, "settings", None)
    try:
        fields: dict[str, Any] = json.loads(file.read_text()) if file else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    if "pool" in options:
        # The sides depend on the pool.
        fields.pop("sides", None)
    return settings_for(**with_architecture(fields | options))


def run(job: Job, fresh: bool, export_only: bool) -> dict[str, Any]:
    """Trains, exports, evaluates and judges. Returns the evaluation with the gate's decision."""
    split = split_photos(job.data, job.settings.split)
    fingerprint = data_sha256(split.photos)
    counts = ", ".join(f"{len(photos)} for {part}" for part, photos in zip(PARTS, split.parts, strict=True))
    print(f"{job.name}: {len(split.classes)} classes: {', '.join(split.classes)}")
    print(f"photos, split by {job.settings.split}: {counts}", flush=True)
    if export_only:
        adopt_work(job.work, job.settings, fingerprint)
    else:
        open_work(job.work, job.settings, fingerprint, fresh)
    with start_run(job.settings, job.work, fingerprint, model=job.name) as record:
        if not export_only:
            train(job.data, job.work, job.settings, record.log_epoch)
        export_candidate(job)
        evaluate_candidate(job)
        evaluation = judge_candidate(job, lineage_of(record, job.settings, fingerprint))
        record.log_evaluation(evaluation, sorted((job.candidate / "card").glob("*.png")))
        record.register(job.candidate, job.candidate / str(VERSION), alias_of(evaluation["gate"]))
    return evaluation


def job_of(given: argparse.Namespace) -> Job:
    """The run that the options describe. Raises ValueError for photos or a name that do not fit."""
    settings = settings_of(given)
    settings = replace(settings, split=split_kind(given.data, settings.split))
    split = split_photos(given.data, settings.split)
    name = name_of(given.data, split.classes, given.models, given.name)
    return Job(given.data, given.work, given.models, with_epochs(settings, len(split.train)), name)


def main() -> None:
    """Runs the command. Prints one line with the accuracy and one per reason of the gate."""
    given = arguments()
    try:
        job = job_of(given)
        evaluation = run(job, given.fresh, given.export_only)
    except (ValueError, OSError) as error:
        raise SystemExit(f"training: {error}") from error
    test, validation = evaluation["test"], evaluation["validation"]
    print(f"{job.name}: test {test['accuracy']:.4f}, validation {validation['accuracy']:.4f}, in {job.candidate}")
    print("\n".join(sentences(evaluation["gate"])))
    sys.exit(REFUSED if evaluation["gate"]["decision"] == "refused" else 0)


if __name__ == "__main__":
    main()
