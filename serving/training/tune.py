"""Searches for better settings: python -m training.tune --data DIR. Run it again to resume it or to add trials.

Uses Optuna, not Keras Tuner: Optuna stores trials in an SQLite file that processes share and that survives a kill, and
it can prune any training loop. Keras Tuner needs a chief process for that, and prunes only model.fit.
"""

import argparse
import fcntl
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from .data import data_sha256
from .efficientnet import SCALES
from .names import name_of
from .pretrained import with_architecture
from .schedule import with_epochs
from .settings import Settings, settings_for
from .split import split_photos
from .store import tracking_uri
from .track import start_run
from .tune_report import FINISHED, write_report
from .tune_trial import TUNE, Search, open_study, origin_of, run_trial, space_of, start_worker

WORK = Path(__file__).parent / "work"
MODELS = Path(__file__).parents[1] / "models"
# A quarter of a full training: enough to distinguish good settings from bad ones. Fine-tuning is short anyway.
EPOCHS = 15


def retry_killed(study: optuna.Study) -> None:
    """Marks trials of a killed search as failed and queues their settings first. Call it while no search runs."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs={"origin": origin_of(trial)})


def count_finished(study: optuna.Study) -> int:
    """The number of trials with a result, including pruned ones."""
    return len(study.get_trials(deepcopy=False, states=FINISHED))


def run_trials(search: Search, study: optuna.Study, trials: int, jobs: int) -> None:
    """Runs `jobs` trials at a time until `trials` are finished, including those of earlier calls."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, start_worker, (threads,)) as pool:
        running: set[Future[None]] = set()
        while (missing := trials - count_finished(study)) > 0:
            while len(running) < min(jobs, missing):
                seed = search.settings.seed * 100_000 + len(study.get_trials(deepcopy=False)) + len(running)
                running.add(pool.submit(run_trial, search, seed))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            report(study, search.work / TUNE, trials)


def report(study: optuna.Study, folder: Path, trials: int) -> None:
    """Updates the report files and prints a progress line."""
    write_report(study, folder)
    best = study.best_trial
    print(
        f"{count_finished(study)} of {trials} trials finished, best: {best.value:.4f} by trial {best.number}",
        flush=True,
    )


@contextmanager
def search_lock(work: Path) -> Iterator[None]:
    """A lock that allows one search per work folder. The system releases it when the process ends."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "tune.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"--work {work}: another search is running in this folder") from error
        yield


def check_same_search(study: optuna.Study, settings: Settings, data: str) -> None:
    """Raises ValueError if the study was started with other settings or photos: results would not be comparable."""
    question = json.loads(json.dumps({**asdict(settings), "data_sha256": data}))
    begun = study.user_attrs.get("question")
    if begun is None:
        study.set_user_attr("question", question)
        study.enqueue_trial({name: question[name] for name in space_of(settings)})
    elif begun != question:
        other = [f"{name} {begun.get(name)}" for name in question if begun.get(name) != question[name]]
        raise ValueError(f"--work: its tune.db has a search with {', '.join(other)}; use the same or another folder")


def search(data: Path, work: Path, settings: Settings, trials: int, jobs: int) -> None:
    """Runs or resumes the search in WORK until `trials` are finished. Raises ValueError or OSError, one line."""
    with search_lock(work):
        # The processes of the trials use the same MLflow store.
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri(work)
        split = split_photos(data, settings.split)
        settings = with_epochs(settings, len(split.train))
        fingerprint, name = data_sha256(split.photos), name_of(data, split.classes, MODELS)
        study = open_study(work)
        check_same_search(study, settings, fingerprint)
        retry_killed(study)
        with start_run(settings, work / TUNE, fingerprint, {"mlflow.runName": "search"}, name) as run:
            run_trials(Search(data, work, settings, fingerprint, name, run.run_id), study, trials, jobs)
            run.client.log_metric(run.run_id, "accuracy", study.best_value)
            for file in sorted((work / TUNE).glob("*.*")):
                run.client.log_artifact(run.run_id, str(file), TUNE)


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tune", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with one folder of photos for each class, or with train, validation and test",
    )
    parser.add_argument("--work", type=Path, default=WORK, help="tune.db and tune/ with the results (%(default)s)")
    parser.add_argument("--trials", type=int, default=20, help="total number of finished trials (%(default)s)")
    parser.add_argument("--settings", type=Path, help="JSON file with the common settings, as for training")
    parser.add_argument(
        "--epochs", type=int, help=f"epochs of each trial ({EPOCHS}; efficientnet by the number of photos)"
    )
    parser.add_argument("--seed", type=int, help="seed; trial N uses this plus N (1)")
    jobs = max(1, (os.cpu_count() or 1) // 4)
    parser.add_argument("--jobs", type=int, default=jobs, help="parallel trials (a quarter of the cores: %(default)s)")
    return parser.parse_args()


def settings_of(given: argparse.Namespace) -> Settings:
    """Merges the file and the options. The first trial uses exactly these. Raises ValueError for invalid ones."""
    fields: dict[str, Any] = json.loads(given.settings.read_text()) if given.settings else {}
    options = {name: getattr(given, name) for name in ("epochs", "seed") if getattr(given, name) is not None}
    chosen = with_architecture({**fields, **options})
    if "epochs" not in chosen and chosen["architecture"] not in SCALES:
        chosen["epochs"] = EPOCHS
    return settings_for(**chosen)


def main() -> None:
    """Runs the command."""
    given = arguments()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        search(given.data, given.work, settings_of(given), given.trials, max(1, given.jobs))
    except BrokenProcessPool as error:
        raise SystemExit(
            "tune: the process of a trial was killed, perhaps for memory: resume with fewer --jobs"
        ) from error
    except (ValueError, OSError) as error:
        raise SystemExit(f"tune: {error}") from error
    print((given.work / TUNE / "trials.md").read_text())


if __name__ == "__main__":
    main()
