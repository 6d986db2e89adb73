"""Searches the settings of the customers' network with Optuna; a search that was stopped goes on where it was."""

from dataclasses import replace
from pathlib import Path

import optuna

from .customers import Parts, fingerprint
from .fit import FitSettings, fit


def tune(parts: Parts, base: FitSettings, work: Path, trials: int) -> FitSettings:
    """The settings of the lowest validation loss among `trials`, which are kept in WORK/tune.db.

    Finished trials of an earlier call on the same customers count.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    work.mkdir(parents=True, exist_ok=True)
    storage = f"sqlite:///{(work / 'tune.db').resolve()}"
    search = optuna.create_study(
        storage=storage, study_name=f"customers {fingerprint(parts)[:12]}", load_if_exists=True
    )
    finished = len(search.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    # A sampler is not stored: it starts anew behind the finished trials, as it would draw the same ones again.
    search.sampler = optuna.samplers.TPESampler(seed=base.seed + finished)

    def loss(trial: optuna.Trial) -> float:
        drawn = replace(
            base,
            units=trial.suggest_int("units", 8, 64, log=True),
            learning_rate=trial.suggest_float("learning_rate", 3e-3, 5e-2, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-5, 1e-2, log=True),
        )
        _, history = fit(parts, drawn)
        return min(row["validation_loss"] for row in history)

    search.optimize(loss, n_trials=max(trials - finished, 0))
    return replace(base, **search.best_params)
