"""Searches for better settings: python -m training.tune --data DIR; run it again to go on, or for more trials.

Optuna and not Keras Tuner: its trials live in an SQLite file that processes share and a kill does not harm, and a call
for each epoch prunes any training loop; Keras Tuner wants a chief process for that, and prunes only around model.fit.
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
from .settings import Settings, settings_for
from .split import split_photos
from .store import tracking_uri
from .track import start_run
from .tune_report import FINISHED, write_report
from .tune_trial import SPACE, TUNE, Search, open_study, origin_of, run_trial, start_worker

WORK = Path(__file__).parent / "work"
# A quarter of a whole training: enough to tell good settings from bad ones.
EPOCHS = 15


def take_up_killed(study: optuna.Study) -> None:
    """A trial that still runs while no search does was killed: it fails, and its settings are tried first."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs={"origin": origin_of(trial)})


def count_finished(study: optuna.Study) -> int:
    """Trials with a result, pruned ones among them."""
    return len(study.get_trials(deepcopy=False, states=FINISHED))


def run_trials(search: Search, study: optuna.Study, trials: int, jobs: int) -> None:
    """Runs trials, `jobs` at a time, until so many are finished, those of earlier calls among them."""
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
    """The tables and pictures as they stand now, and a line for who waits."""
    write_report(study, folder)
    best = study.best_trial
    print(
        f"{count_finished(study)} of {trials} trials finished, best: {best.value:.4f} by trial {best.number}",
        flush=True,
    )


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """One search at a time in a work folder; the lock ends with the process, however it ends."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "tune.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"--work {work}: another search is running there") from error
        yield


def same_question(study: optuna.Study, settings: Settings, data: str) -> None:
    """Results are comparable only between equal settings and photos: ValueError for a study begun with others."""
    question = json.loads(json.dumps({**asdict(settings), "data_sha256": data}))
    begun = study.user_attrs.get("question")
    if begun is None:
        study.set_user_attr("question", question)
        study.enqueue_trial({name: question[name] for name in SPACE})
    elif begun != question:
        other = [f"{name} {begun.get(name)}" for name in question if begun.get(name) != question[name]]
        raise ValueError(f"--work: tune.db there holds a search with {', '.join(other)}; ask the same or name another")


def search(data: Path, work: Path, settings: Settings, trials: int, jobs: int) -> None:
    """From photos to WORK/tune: goes on until `trials` are finished; ValueError or OSError, one line, if not."""
    with alone(work):
        # The trials' processes keep their records where the search does.
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri(work)
        fingerprint = data_sha256(split_photos(data, settings.split).photos)
        study = open_study(work)
        same_question(study, settings, fingerprint)
        take_up_killed(study)
        with start_run(settings, work / TUNE, fingerprint, {"mlflow.runName": "search"}) as run:
            run_trials(Search(data, work, settings, fingerprint, run.run_id), study, trials, jobs)
            run.client.log_metric(run.run_id, "accuracy", study.best_value)
            for file in sorted((work / TUNE).glob("*.*")):
                run.client.log_artifact(run.run_id, str(file), TUNE)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tune", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train, validation and test")
    parser.add_argument("--work", type=Path, default=WORK, help="tune.db and tune/ with the results (%(default)s)")
    parser.add_argument("--trials", type=int, default=20, help="finished ones to reach in all (%(default)s)")
    parser.add_argument("--settings", type=Path, help="JSON with what the trials have in common, as for the training")
    parser.add_argument("--epochs", type=int, help=f"of each trial ({EPOCHS})")
    parser.add_argument("--seed", type=int, help="trial N trains with this plus N (1)")
    jobs = max(1, (os.cpu_count() or 1) // 4)
    parser.add_argument("--jobs", type=int, default=jobs, help="trials at a time (a quarter of the cores: %(default)s)")
    return parser.parse_args()


def settings_of(given: argparse.Namespace) -> Settings:
    """The file's fields, then the options; the first trial runs with just these. ValueError names what is wrong."""
    fields: dict[str, Any] = json.loads(given.settings.read_text()) if given.settings else {}
    options = {name: getattr(given, name) for name in ("epochs", "seed") if getattr(given, name) is not None}
    return settings_for(**{"epochs": EPOCHS, **fields, **options})


def main() -> None:
    """One line for what stops it."""
    given = arguments()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        search(given.data, given.work, settings_of(given), given.trials, max(1, given.jobs))
    except BrokenProcessPool as error:
        raise SystemExit("tune: a trial's process was killed, perhaps for memory: go on with fewer --jobs") from error
    except (ValueError, OSError) as error:
        raise SystemExit(f"tune: {error}") from error
    print((given.work / TUNE / "trials.md").read_text())


if __name__ == "__main__":
    main()
