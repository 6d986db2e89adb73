"""Searches for settings of the customers' network with Optuna. An interrupted search can be resumed."""

from dataclasses import replace
from pathlib import Path

import optuna

from .customers import Parts, fingerprint
from .fit import FitSettings, fit


def tune(parts: Parts, base: FitSettings, work: Path, trials: int) -> FitSettings:
    """Returns the settings with the lowest validation loss of `trials` trials, which are stored in WORK/tune.db.

    Finished trials of earlier calls with the same customers count.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    work.mkdir(parents=True, exist_ok=True)
    storage = f"sqlite:///{(work / 'tune.db').resolve()}"
    search = optuna.create_study(
        storage=storage, study_name=f"customers {fingerprint(parts)[:12]}", load_if_exists=True
    )
    finished = len(search.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    # The sampler is not stored. Its seed depends on the finished trials, so that it does not repeat values.
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
