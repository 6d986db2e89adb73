"""A search: resume after a kill, pruning, protection against other searches, and the report."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from training.settings import Settings, settings_for
from training.store import open_store
from training.track import start_run
from training.tune import check_same_search, search, search_lock
from training.tune_report import write_report
from training.tune_trial import SPACE, TUNE, on_epoch_of, open_study

SERVING = Path(__file__).resolve().parents[2]
# Three steps per epoch.
SMALL = {"architecture": "xception-small", "epochs": 2, "batch": 10, "width": 0.5, "sides": [[1.0, 40]]}
BOUNDS: dict[str, optuna.distributions.BaseDistribution] = {
    name: optuna.distributions.FloatDistribution(bounds.low, bounds.high, bounds.log, bounds.step)
    for name, bounds in SPACE.items()
}
DEFAULTS = {name: getattr(Settings(), name) for name in SPACE}


def _tune(data: Path, work: Path, trials: int) -> subprocess.Popen[str]:
    settings = work.parent / "settings.json"
    settings.write_text(json.dumps(SMALL))
    line = [sys.executable, "-B", "-m", "training.tune", "--data", data, "--work", work, "--settings", settings]
    return subprocess.Popen([*map(str, line), "--trials", str(trials), "--jobs", "1"], cwd=SERVING, text=True)


def _states(trials: list[FrozenTrial]) -> list[str]:
    return [trial.state.name for trial in trials]


def _kill_at(states: list[str], process: subprocess.Popen[str], work: Path) -> None:
    """Sends SIGKILL when the trials of the search have these states."""
    while not (work / TUNE / "run.json").exists() and process.poll() is None:
        time.sleep(0.5)
    study = open_study(work)
    while _states(study.get_trials()) != states and process.poll() is None:
        time.sleep(0.5)
    process.kill()


def test_a_killed_search_is_resumed(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL during the second trial: the first is kept, the second is retried, the third follows."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    work = tmp_path / "work"
    with _tune(drawn, work, 3) as killed:
        _kill_at(["COMPLETE", "RUNNING"], killed, work)
    before = open_study(work).get_trials()
    assert killed.returncode == -signal.SIGKILL and _states(before) == ["COMPLETE", "RUNNING"]

    with _tune(drawn, work, 3) as again:
        assert again.wait() == 0
    after = open_study(work).get_trials()
    assert _states(after) == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert after[0].datetime_complete == before[0].datetime_complete
    assert after[2].user_attrs["origin"] == 1 and after[2].params.items() >= before[1].params.items()

    tune = work / TUNE
    rows = list(csv.DictReader((tune / "trials.csv").open()))
    assert [row["state"] for row in rows] == ["complete", "fail", "complete", "complete"]
    assert rows[2]["continues"] == "1" and (tune / "trials.md").read_text().count("\n") == 6
    assert (tune / "history.png").stat().st_size > 10_000
    best = settings_for(**json.loads((tune / "best.json").read_text()))
    assert best.learning_rate == open_study(work).best_params["learning_rate"]

    client = open_store(f"sqlite:///{work}/mlflow.db")
    parent = json.loads((tune / "run.json").read_text())["run_id"]
    runs = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert {run.info.run_id for run in runs} == {after[number].user_attrs["run_id"] for number in (0, 2, 3)}
    for run in runs:
        assert run.info.status == "FINISHED"
        assert [metric.step for metric in client.get_metric_history(run.info.run_id, "accuracy")] == [1, 2]


def test_a_trial_below_the_median_is_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pruning starts after the first epochs. The MLflow status is KILLED, not FAILED."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    study = open_study(tmp_path)
    for _ in range(4):
        reported = dict.fromkeys(range(1, 8), 0.8)
        study.add_trial(create_trial(value=0.8, params=DEFAULTS, distributions=BOUNDS, intermediate_values=reported))

    def train_badly() -> None:
        with start_run(Settings(), tmp_path / "trial", "5e" * 32) as run:
            on_epoch = on_epoch_of(run, study.ask())
            for epoch in range(1, 8):
                on_epoch({"epoch": epoch, "accuracy": 0.1})

    with pytest.raises(optuna.TrialPruned):
        train_badly()
    assert 3 <= max(study.trials[-1].intermediate_values) < 7
    store = open_store(f"sqlite:///{tmp_path}/trial/mlflow.db")
    run_id = json.loads((tmp_path / "trial" / "run.json").read_text())["run_id"]
    assert store.get_run(run_id).info.status == "KILLED"


def test_a_search_with_other_settings_or_photos_is_refused(tmp_path: Path) -> None:
    """Their results are not comparable."""
    study = open_study(tmp_path)
    check_same_search(study, Settings(epochs=5), "5e")
    check_same_search(study, Settings(epochs=5), "5e")
    assert len(study.trials) == 1
    with pytest.raises(ValueError, match="epochs 5, data_sha256 5e"):
        check_same_search(study, Settings(epochs=6), "6f")


def test_two_searches_in_one_folder_are_refused(drawn: Path, tmp_path: Path) -> None:
    """Otherwise one would treat the other's running trials as killed."""
    with search_lock(tmp_path), pytest.raises(ValueError, match="another search"):
        search(drawn, tmp_path, Settings(), 1, 1)


def test_the_report_lists_all_trials_best_first(tmp_path: Path) -> None:
    """Pruned trials have their last accuracy."""
    study = optuna.create_study(direction="maximize")
    for value in (0.5, 0.75):
        study.add_trial(
            create_trial(value=value, params=DEFAULTS, distributions=BOUNDS, intermediate_values={2: value})
        )
    reported = {1: 0.125}
    study.add_trial(
        create_trial(state=TrialState.PRUNED, params=DEFAULTS, distributions=BOUNDS, intermediate_values=reported)
    )
    write_report(study, tmp_path)
    rows = [line.split(" | ") for line in (tmp_path / "trials.md").read_text().splitlines()]
    assert [row[:3] for row in rows[2:]] == [
        ["| 1", "complete", "0.75"],
        ["| 0", "complete", "0.5"],
        ["| 2", "pruned", "0.125"],
    ]
    assert json.loads((tmp_path / "best.json").read_text()) == DEFAULTS
    assert (tmp_path / "history.png").exists() and (tmp_path / "importance.png").exists()
