"""Where MLflow's records are: a server by MLFLOW_TRACKING_URI, or WORK/mlflow.db with WORK/mlartifacts beside it."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
# Against MLflow's defaults: no reports to its makers, and a dead server is known in seconds instead of four minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def tracking_uri(work: Path) -> str:
    """The server or database of the records."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{work.resolve()}/mlflow.db"


def open_store(uri: str) -> "MlflowClient":
    """A client of a store that answers; ConnectionError, one line, if it does not."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Here and not above: this import takes seconds, and MLflow reads the environment while it is imported.
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with answering(uri):
        if uri.startswith(SQLITE):
            _read_file(file_of(uri))
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    return client


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turns what a store fails with into a ConnectionError of one line."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlite3.Error, OSError) as error:
        raise ConnectionError(f"MLflow's store {uri}: {str(error).partition(chr(10))[0]}") from error


def file_of(uri: str) -> Path:
    """The database file of an SQLite store, without the driver's options such as ?timeout=60."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0]).resolve()


def _read_file(file: Path) -> None:
    """MLflow tries a broken file for minutes; SQLite itself says at once what is wrong with it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.execute("SELECT count(*) FROM sqlite_master")


def experiment(client: "MlflowClient", uri: str, name: str) -> str:
    """The experiment's id; a new one in a database file keeps its files beside that file."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    beside = (file_of(uri).parent / "mlartifacts").as_uri() if uri.startswith(SQLITE) else None
    return str(client.create_experiment(name, artifact_location=beside))
