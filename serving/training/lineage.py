"""Shows how a served version was made: python -m training.lineage MODEL_FOLDER N

N is the version in the gateway's X-Model-Version header. The data comes from the model's evaluation/N.json, and from
MLflow if its store is available.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .registry import tag_pushed
from .store import SQLITE, connection_errors, file_of, open_store, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

WORK = Path(__file__).parent / "work"


def read_lineage(model_folder: Path, version: int) -> dict[str, Any]:
    """The version's lineage with its model and gate decision. Raises ValueError if something is missing."""
    file = model_folder / "evaluation" / f"{version}.json"
    if not file.is_file():
        there = sorted(int(path.stem) for path in file.parent.glob("*.json") if path.stem.isdigit())
        raise ValueError(f"{file}: no such file; evaluated versions: {', '.join(map(str, there)) or 'none'}")
    try:
        evaluation = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    if "lineage" not in evaluation:
        raise ValueError(f"{file}: has no lineage; the version was trained before lineage was recorded")
    gate = evaluation.get("gate", {}).get("decision")
    return {"model": model_folder.resolve().name, "version": version, **evaluation["lineage"], "gate": gate}


def _store(uri: str) -> "MlflowClient":
    """Like open_store, but does not create a store."""
    if uri.startswith(SQLITE) and not file_of(uri).exists():
        raise ConnectionError(
            f"MLflow's store {uri} does not exist; set --work to the training's, or MLFLOW_TRACKING_URI"
        )
    return open_store(uri)


def ask_mlflow(run_id: str, uri: str) -> dict[str, Any]:
    """The run's status, metrics and address in MLflow; or `error` if the store does not answer."""
    try:
        client = _store(uri)
        with connection_errors(uri):
            run = client.get_run(run_id)
    except ConnectionError as error:
        return {"store": uri, "error": str(error)}
    page = f"{uri.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run_id}"
    address = page if uri.startswith("http") else uri
    return {"store": uri, "status": run.info.status, "address": address, "metrics": run.data.metrics}


def check_data(lineage: dict[str, Any], data: Path) -> bool:
    """Whether the photos in this folder, split like in the run, still have the run's fingerprint."""
    from .data import data_sha256
    from .split import split_photos

    found = data_sha256(split_photos(data, lineage["settings"]["split"]).photos)
    return found == str(lineage["data_sha256"])


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(
        f"{name}={value:.7g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items()
    )


def text(found: dict[str, Any]) -> str:
    """The lineage as text, one fact per line."""
    known = found["mlflow"]
    record = known.get("error") or f"{known['status']} in {known['address']}"
    lines = {
        "version": f"{found['model']}/{found['version']}",
        "run": found["run_id"],
        "data": f"sha256 {found['data_sha256']}",
        "commit": f"{found['commit']}{' with uncommitted changes' if found.get('dirty') else ''}",
        "gate": found["gate"],
        "cause": _pairs(found.get("cause", {})),
        "settings": _pairs(found["settings"]),
        "environment": _pairs(found["environment"]),
        "mlflow": record,
        "metrics": _pairs(known.get("metrics", {})),
    }
    if "data_unchanged" in found:
        lines["photos"] = "unchanged" if found["data_unchanged"] else "CHANGED: the fingerprint differs from the run's"
    return "\n".join(f"{name:<12}{value}" for name, value in lines.items() if value)


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.lineage", description=__doc__)
    parser.add_argument("model_folder", type=Path, metavar="MODEL_FOLDER", help="for example models/clothing-model")
    parser.add_argument("version", type=int, metavar="N", help="version, as in the X-Model-Version header")
    parser.add_argument(
        "--work", type=Path, default=WORK, help="the training's work folder with mlflow.db (%(default)s)"
    )
    parser.add_argument("--data", type=Path, help="check that the photos in this folder are those of the run")
    parser.add_argument("--pushed", action="store_true", help="tag the run's model in MLflow's registry with N")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def main() -> None:
    """Runs the command. Exit code 1 and one line if something is missing or the photos have changed."""
    given = arguments()
    uri = tracking_uri(given.work)
    try:
        found = read_lineage(given.model_folder, given.version)
        if given.pushed:
            client = _store(uri)
            with connection_errors(uri):
                tag_pushed(client, found["run_id"], found["model"], given.version)
        if given.data:
            found["data_unchanged"] = check_data(found, given.data)
    except (ValueError, LookupError, ConnectionError) as error:
        raise SystemExit(f"lineage: {error}") from error
    found["mlflow"] = ask_mlflow(found["run_id"], uri)
    print(json.dumps(found, indent=2) if given.json else text(found))
    raise SystemExit(0 if found.get("data_unchanged", True) else 1)


if __name__ == "__main__":
    main()
