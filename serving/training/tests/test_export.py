"""What is written is what TF-Serving, ONNX Runtime and the gateway expect."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from training.export import export, largest_difference
from training.settings import SIGNATURE


@pytest.fixture(scope="module")
def version(trunk: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported version."""
    folder = tmp_path_factory.mktemp("model") / "1"
    export(trunk, folder)
    return folder


def test_both_formats_agree(version: Path) -> None:
    """On noise and on the extremes, in batches of different sizes."""
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 299, 299, 3)).astype(np.float32)
    assert largest_difference(version, [noise, np.ones((1, 299, 299, 3), np.float32)]) < 1e-4


def test_disagreement_is_an_error(version: Path) -> None:
    """Even one that is not a number."""
    with pytest.raises(ValueError, match="differ"):
        largest_difference(version, [np.full((1, 299, 299, 3), np.nan, np.float32)])


def test_signature_has_one_input_and_one_output(version: Path) -> None:
    """By the names that model.yaml and the gateway use."""
    signature = tf.saved_model.load(str(version)).signatures[SIGNATURE]
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    assert {key: spec.shape.as_list() for key, spec in inputs.items()} == {"image": [None, 299, 299, 3]}
    assert {key: spec.shape.as_list() for key, spec in outputs.items()} == {"logits": [None, 10]}


def test_onnx_has_the_same_names_and_an_open_batch(version: Path) -> None:
    """In the same layout."""
    session = onnxruntime.InferenceSession(str(version / "model.onnx"))
    assert [(value.name, value.shape) for value in session.get_inputs()] == [("image", ["batch", 299, 299, 3])]
    assert [(value.name, value.shape) for value in session.get_outputs()] == [("logits", ["batch", 10])]


def test_files_are_small_and_few(version: Path) -> None:
    """At most 12 MB per format, nothing of an optimiser."""
    names = {str(file.relative_to(version)) for file in version.rglob("*") if file.is_file()}
    shard = "variables/variables.data-00000-of-00001"
    assert names == {"saved_model.pb", "fingerprint.pb", "model.onnx", "variables/variables.index", shard}
    assert (version / "model.onnx").stat().st_size < 12e6
    assert (version / shard).stat().st_size < 12e6
