"""One trial of a search, in its own process: samples settings, trains, stores the result in the study."""

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import tensorflow as tf

from .efficientnet import SCALES
from .history import Row, best_row
from .settings import NAME, Settings
from .track import Run, start_run
from .train import train
from .trainer import DivergedError

TUNE = "tune"
LOG = "log.txt"
Trial = optuna.Trial | optuna.trial.FrozenTrial


class Range(NamedTuple):
    """The bounds of one setting, both inclusive."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


# Keys are field names of Settings, here and in FINE_TUNING. mixup's Beta distribution needs a value above 0.
SPACE = {
    "learning_rate": Range(5e-4, 8e-3, log=True),
    "width": Range(0.5, 1.25, step=0.125),
    "dropout": Range(0.0, 0.6, step=0.1),
    "augmentation": Range(0.5, 1.5, step=0.25),
    "mixup": Range(0.05, 0.4, step=0.05),
}
# Of EfficientNet-Lite, whose width is given by its pretrained weights.
FINE_TUNING = {
    "learning_rate": Range(5e-5, 8e-4, log=True),
    "dropout": Range(0.0, 0.6, step=0.1),
    "augmentation": Range(0.5, 1.5, step=0.25),
}


def space_of(settings: Settings) -> dict[str, Range]:
    """The settings that a search varies, by the architecture."""
    return FINE_TUNING if settings.architecture in SCALES else SPACE


class Search(NamedTuple):
    """The parameters that all trials share."""

    data: Path
    work: Path
    settings: Settings
    data_sha256: str
    model: str
    parent_run: str


def open_study(work: Path, seed: int = 0) -> optuna.Study:
    """Opens or creates the study in WORK/tune.db, which holds only one. `seed` is for this process' sampler."""
    # Other processes write to the same file: wait up to 60 s for their lock.
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{work.resolve()}/tune.db", engine_kwargs={"connect_args": {"timeout": 60}}
    )
    return optuna.create_study(
        storage=storage,
        study_name=NAME,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3),
    )


def origin_of(trial: Trial) -> int:
    """The trial number that determines folder, seed and MLflow run: its own, or that of the killed trial it retries."""
    return int(trial.user_attrs.get("origin", trial.number))


def trial_folder(work: Path, trial: Trial) -> Path:
    """The work folder of a trial, deleted after the trial."""
    return work / TUNE / "trials" / str(origin_of(trial))


def on_epoch_of(run: Run, trial: optuna.Trial) -> Callable[[Row], None]:
    """Returns a callback that logs each epoch and prunes the trial if it is worse than the others."""

    def on_epoch(row: Row) -> None:
        run.log_epoch(row)
        trial.report(row["accuracy"], int(row["epoch"]))
        if trial.should_prune():
            run.on_error = "KILLED"
            raise optuna.TrialPruned

    return on_epoch


def objective(search: Search, trial: optuna.Trial) -> float:
    """Trains with the trial's settings in its own MLflow run. Returns the best validation accuracy."""
    chosen: dict[str, Any] = {
        name: trial.suggest_float(name, bounds.low, bounds.high, step=bounds.step, log=bounds.log)
        for name, bounds in space_of(search.settings).items()
    }
    settings = replace(search.settings, seed=search.settings.seed + origin_of(trial), **chosen)
    folder = trial_folder(search.work, trial)
    folder.mkdir(parents=True, exist_ok=True)
    tags = {"mlflow.parentRunId": search.parent_run, "mlflow.runName": f"trial {origin_of(trial)}"}
    with (
        (folder / LOG).open("a") as log,
        redirect_stdout(log),
        redirect_stderr(log),
        start_run(settings, folder, search.data_sha256, tags, search.model) as run,
    ):
        trial.set_user_attr("run_id", run.run_id)
        try:
            best = best_row(train(search.data, folder, settings, on_epoch_of(run, trial)))
        except DivergedError as error:
            raise optuna.TrialPruned(str(error)) from error
    trial.set_user_attr("best_epoch", int(best["epoch"]))
    return best["accuracy"]


def run_trial(search: Search, sampler_seed: int) -> None:
    """Runs one trial. Its folder is deleted after the result is stored."""

    def clear(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        shutil.rmtree(trial_folder(search.work, trial))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(search.work, sampler_seed)
    study.optimize(lambda trial: objective(search, trial), n_trials=1, callbacks=[clear])


def _end_with(search: BaseProcess) -> None:
    search.join()
    os._exit(1)


def start_worker(threads: int) -> None:
    """Limits this process to `threads`, and ends it when the search's process ends."""
    search = multiprocessing.parent_process()
    if search is not None:
        threading.Thread(target=_end_with, args=(search,), daemon=True).start()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Otherwise the first trial allocates all GPU memory and the next one fails.
        tf.config.experimental.set_memory_growth(gpu, True)
