"""The report of a search: a table of trials, two plots, and the best settings for python -m training --settings."""

import csv
import warnings
from pathlib import Path

import matplotlib
import optuna
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from .json_file import write_json

matplotlib.use("Agg")

BEST = "best.json"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
Cells = dict[str, str]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cells(trial: FrozenTrial, names: list[str]) -> Cells:
    """One row of the table. A pruned trial shows the accuracy of its last epoch."""
    accuracy = trial.value if trial.value is not None else trial.intermediate_values.get(trial.last_step or 0)
    return {
        "trial": str(trial.number),
        "state": trial.state.name.lower(),
        "accuracy": _number(accuracy),
        "epochs": str(trial.last_step or 0),
        "best_epoch": str(trial.user_attrs.get("best_epoch", "")),
        **{name: _number(trial.params.get(name)) for name in names},
        "minutes": _number(trial.duration.total_seconds() / 60 if trial.duration else None),
        "continues": str(trial.user_attrs.get("origin", "")),
        "run_id": str(trial.user_attrs.get("run_id", "")),
    }


def _markdown(rows: list[Cells]) -> str:
    heads = list(rows[0])
    lines = [heads, ["--"] * len(heads), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _save(axes: Axes, file: Path) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(9, 5)
    figure.savefig(file, dpi=120, bbox_inches="tight")
    pyplot.close(figure)


def _draw(study: optuna.Study, folder: Path) -> None:
    """Plots the best accuracy by trial and, with two complete trials or more, the importance of the settings."""
    from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances

    with warnings.catch_warnings():
        # Optuna warns that its matplotlib plots are experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        history = plot_optimization_history(study, target_name="validation accuracy")
        history.xaxis.set_major_locator(MaxNLocator(integer=True))
        _save(history, folder / "history.png")
        if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) > 1:
            _save(plot_param_importances(study, target_name="validation accuracy"), folder / "importance.png")


def write_report(study: optuna.Study, folder: Path) -> None:
    """Writes trials.md (best first), trials.csv (in order), history.png, importance.png and best.json."""
    trials = study.get_trials(deepcopy=False)
    names = sorted({name for trial in trials for name in trial.params})
    rows = [_cells(trial, names) for trial in trials]
    best_first = sorted(rows, key=lambda row: (row["state"] != "complete", -float(row["accuracy"] or 0)))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trials.md").write_text(_markdown(best_first))
    with (folder / "trials.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    _draw(study, folder)
    write_json(folder / BEST, study.best_params)
