"""Records runs in MLflow. A resumed run continues its MLflow run."""

import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .cause import alerts_text, cause_tags
from .history import Row, read_history
from .json_file import write_json
from .origin import commit, environment, lineage
from .registry import register
from .settings import NAME, Settings
from .store import connection_errors, experiment, open_store, tracking_uri
from .work import RUN, claim_work, open_work

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

WORK_ID = "work_id"


@dataclass
class Run:
    """An MLflow run, open during the context. Epochs are not logged twice."""

    client: "MlflowClient"
    run_id: str
    last_epoch: int = 0
    waiting: list[Row] = field(default_factory=list)
    # The MLflow status if an error ends the run. KILLED for a run stopped on purpose.
    on_error: str = "FAILED"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        stopped = "KILLED" if isinstance(error, KeyboardInterrupt) else self.on_error
        try:
            self._send()
            with connection_errors(self.client.tracking_uri):
                self.client.set_terminated(self.run_id, "FINISHED" if error is None else stopped)
        except ConnectionError as dead:
            if error is None:
                raise
            # Do not hide the run's own error.
            print(dead, file=sys.stderr)

    def log_epoch(self, row: Row) -> None:
        """Logs an epoch. If the store fails, the epoch is logged with the next call, and training continues."""
        if row["epoch"] > self.last_epoch:
            self.last_epoch = int(row["epoch"])
            self.waiting.append(row)
        try:
            self._send()
        except ConnectionError as error:
            print(
                f"epoch {self.last_epoch} not logged to MLflow, retrying with the next epoch: {error}", file=sys.stderr
            )

    def log_evaluation(self, evaluation: dict[str, Any], plots: list[Path]) -> None:
        """Logs an evaluation's numbers as metrics, and the evaluation and plots as files. Raises ConnectionError."""
        self._send()
        with connection_errors(self.client.tracking_uri):
            self.client.log_batch(self.run_id, _metrics(_figures(evaluation), 0))
            self.client.log_dict(self.run_id, evaluation, "evaluation.json")
            if "gate" in evaluation:
                self.client.set_tag(self.run_id, "gate", evaluation["gate"]["decision"])
            for plot in plots:
                self.client.log_artifact(self.run_id, str(plot), "plots")

    def register(self, model_folder: Path, version_folder: Path, alias: str) -> None:
        """Registers the version under the folder's name, once, and sets the alias. Raises ConnectionError."""
        with connection_errors(self.client.tracking_uri):
            register(self.client, self.run_id, model_folder.name, version_folder, alias)

    def _send(self) -> None:
        with connection_errors(self.client.tracking_uri):
            while self.waiting:
                self.client.log_batch(self.run_id, _metrics(self.waiting[0], int(self.waiting[0]["epoch"])))
                self.waiting.pop(0)


def _metrics(figures: Row, step: int) -> list["Metric"]:
    from mlflow.entities import Metric

    return [Metric(name, value, int(time.time() * 1000), step) for name, value in figures.items()]


def _figures(evaluation: dict[str, Any]) -> Row:
    """The numbers of an evaluation by path: test/accuracy, test/recall/hat, milliseconds/1-threads/cpu …"""
    plain = ("temperature", "parameters", "difference")
    figures: Row = {name: evaluation[name] for name in plain if name in evaluation}
    for part in ("test", "validation"):
        measured = evaluation.get(part, {})
        figures |= {f"{part}/{name}": value for name, value in measured.items() if isinstance(value, int | float)}
        figures |= {f"{part}/recall/{row['class']}": row["recall"] for row in measured.get("per_class", [])}
    figures |= {f"sizes/{name}": value for name, value in evaluation.get("sizes", {}).items()}
    for row in evaluation.get("milliseconds", []):
        figures |= {f"milliseconds/{row['threads']}-threads/{name}": row[name] for name in ("clock", "cpu")}
    return figures


def start_run(
    settings: Settings, work: Path, data_sha256: str, tags: dict[str, str] | None = None, model: str = NAME
) -> Run:
    """Opens the MLflow run of this work folder, or creates one if the folder has none or the store does not know it.

    The model's name is that of the experiment.

    Raises ConnectionError, one line, if the store does not answer, and the ValueError of open_work.
    """
    uri = tracking_uri(work)
    client = open_store(uri)
    # Imported here for the reasons in open_store.
    from mlflow.entities import Param

    open_work(work, settings, data_sha256)
    claimed = claim_work(work, settings, data_sha256)
    with connection_errors(uri):
        run = _record(client, experiment(client, uri, model), claimed["work_id"])
        client.log_batch(run.run_id, params=[Param(name, str(value)) for name, value in asdict(settings).items()])
        for name, value in {**_origin_tags(data_sha256), **(tags or {})}.items():
            client.set_tag(run.run_id, name, value)
        log_cause(client, run.run_id)
    write_json(work / RUN, claimed | {"run_id": run.run_id})
    # The run may have been killed after an epoch was saved and before it was logged.
    for row in read_history(work):
        run.log_epoch(row)
    return run


def log_cause(client: "MlflowClient", run_id: str) -> None:
    """Tags a run with the alert that caused it, and adds the file of all alerts. Does nothing without an alert."""
    for name, value in cause_tags().items():
        client.set_tag(run_id, name, value)
    alerts = alerts_text()
    if alerts is not None:
        client.log_text(run_id, alerts, "alerts.json")


def _record(client: "MlflowClient", experiment_id: str, work_id: str) -> Run:
    """Finds the run by its tag: if a kill prevented writing its id, no second run is created."""
    known = client.search_runs([experiment_id], f"tags.{WORK_ID} = '{work_id}'", max_results=1)
    if not known:
        return Run(client, client.create_run(experiment_id, tags={WORK_ID: work_id}).info.run_id)
    run_id = known[0].info.run_id
    client.update_run(run_id, status="RUNNING")
    return Run(client, run_id, int(known[0].data.metrics.get("epoch", 0)))


def _origin_tags(data_sha256: str) -> dict[str, str]:
    code = commit()
    tags = {"data_sha256": data_sha256, "mlflow.source.name": "training", "git.dirty": str(code.dirty).lower()}
    tags |= {f"environment.{name}": value for name, value in environment().items()}
    return {**tags, "mlflow.source.git.commit": code.id} if code.id else tags


def lineage_of(run: Run, settings: Settings, data_sha256: str) -> dict[str, Any]:
    """The lineage part of evaluation/N.json: how a version was made, and its MLflow run."""
    return lineage(run.run_id, asdict(settings), data_sha256)
