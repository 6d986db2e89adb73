"""A run's model in MLflow's registry: files, signature, alias and served version."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .settings import SIGNATURE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

ONNX = "model.onnx"
CONTENT = "content_sha256"
PUSHED = "served_version"


def _schema(tensors: Mapping[str, Any]) -> "Schema":
    """The MLflow schema for TensorInfo messages by name."""
    import numpy as np
    import tensorflow as tf
    from mlflow.types import Schema, TensorSpec

    def spec(name: str, info: Any) -> TensorSpec:
        dtype = np.dtype(tf.dtypes.as_dtype(info.dtype).as_numpy_dtype)
        return TensorSpec(dtype, [dim.size for dim in info.tensor_shape.dim], name)

    return Schema([spec(name, info) for name, info in sorted(tensors.items())])


def signature_of(version_folder: Path) -> "ModelSignature":
    """Names, dtypes and shapes of serving_default (batch size -1), read without loading the graph."""
    from mlflow.models import ModelSignature
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    file = version_folder / "saved_model.pb"
    signatures = SavedModel.FromString(file.read_bytes()).meta_graphs[0].signature_def
    if SIGNATURE not in signatures:
        raise ValueError(f"{file}: has no signature {SIGNATURE}, only {', '.join(sorted(signatures))}")
    return ModelSignature(_schema(signatures[SIGNATURE].inputs), _schema(signatures[SIGNATURE].outputs))


def content_sha256(version_folder: Path) -> str:
    """SHA-256 over the names and bytes of all files. A run can export again, from better weights."""
    files = sorted(path for path in version_folder.rglob("*") if path.is_file())
    lines = [f"{file.relative_to(version_folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _description(run_id: str, folder: str, version_folder: Path) -> str:
    """The MLmodel file, which describes how mlflow.onnx and mlflow.pyfunc load the model."""
    from mlflow import pyfunc
    from mlflow.models import Model

    model = Model(artifact_path=folder, run_id=run_id, signature=signature_of(version_folder))
    model.add_flavor("onnx", onnx_version=version("onnx"), data=ONNX, providers=["CPUExecutionProvider"])
    pyfunc.add_to_model(model, loader_module="mlflow.onnx", data=ONNX)
    return str(model.to_yaml())


def _newest(client: "MlflowClient", name: str, run_id: str, sha256: str | None = None) -> str | None:
    """The registry's newest version of the run's model, optionally only with this content."""
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    numbers = [int(entry.version) for entry in found if sha256 in (None, entry.tags.get(CONTENT))]
    return str(max(numbers)) if numbers else None


def _create(client: "MlflowClient", run_id: str, name: str, version_folder: Path) -> str:
    sha256 = content_sha256(version_folder)
    folder = f"model-{sha256[:8]}"
    description = _description(run_id, folder, version_folder)
    client.log_artifacts(run_id, str(version_folder), folder)
    client.log_text(run_id, description, f"{folder}/MLmodel")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    return str(client.create_model_version(name, f"runs:/{run_id}/{folder}", run_id, {CONTENT: sha256}).version)


def register(client: "MlflowClient", run_id: str, name: str, version_folder: Path, alias: str) -> None:
    """Uploads and registers the files unless this run has registered them before, then sets the alias."""
    number = _newest(client, name, run_id, content_sha256(version_folder))
    client.set_registered_model_alias(name, alias, number or _create(client, run_id, name, version_folder))


def tag_pushed(client: "MlflowClient", run_id: str, name: str, version: int) -> None:
    """Tags the registered model with its served version. Raises LookupError if the run has registered none."""
    number = _newest(client, name, run_id)
    if number is None:
        raise LookupError(f"MLflow's registry has no model {name} of run {run_id}")
    client.set_model_version_tag(name, number, PUSHED, str(version))
    client.set_tag(run_id, PUSHED, str(version))
