"""MLflow's store: a server in MLFLOW_TRACKING_URI, or the files WORK/mlflow.db and WORK/mlartifacts."""

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
# Overrides of MLflow's defaults: no telemetry, and an unreachable server fails after seconds instead of four minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def tracking_uri(work: Path) -> str:
    """The URI of the store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{work.resolve()}/mlflow.db"


def open_store(uri: str) -> "MlflowClient":
    """Opens the store. Raises ConnectionError, one line, if it does not answer."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Imported here because it takes seconds, and because MLflow reads the environment on import.
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with connection_errors(uri):
        if uri.startswith(SQLITE):
            _read_file(file_of(uri))
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    return client


@contextmanager
def connection_errors(uri: str) -> Iterator[None]:
    """Converts errors of the store to a ConnectionError of one line."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlite3.Error, OSError) as error:
        raise ConnectionError(f"MLflow's store {uri}: {str(error).partition(chr(10))[0]}") from error


def file_of(uri: str) -> Path:
    """The database file of an SQLite store, without the driver's options such as ?timeout=60."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0]).resolve()


def _read_file(file: Path) -> None:
    """Checks the file with SQLite, which fails at once. MLflow retries a broken file for minutes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.execute("SELECT count(*) FROM sqlite_master")


def experiment(client: "MlflowClient", uri: str, name: str) -> str:
    """The experiment's id. With a database file, a new experiment stores its artifacts next to that file."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    artifacts = (file_of(uri).parent / "mlartifacts").as_uri() if uri.startswith(SQLITE) else None
    return str(client.create_experiment(name, artifact_location=artifacts))
