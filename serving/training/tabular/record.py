"""Records table models in MLflow, in the same store as image models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..store import experiment, open_store, tracking_uri
from ..track import Run, log_cause


def open_run(name: str, settings: Mapping[str, Any], data_sha256: str, work: Path) -> Run:
    """Creates a run in the model's own experiment. Raises ConnectionError, one line, if the store does not answer."""
    from mlflow.entities import Param, RunTag

    uri = tracking_uri(work)
    client = open_store(uri)
    run_id = client.create_run(experiment(client, uri, name)).info.run_id
    params = [Param(key, str(value)) for key, value in settings.items()]
    client.log_batch(run_id, params=params, tags=[RunTag("data_sha256", data_sha256)])
    log_cause(client, run_id)
    return Run(client, run_id)
