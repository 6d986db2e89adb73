"""TF-Serving can read the warm-up file, and the model can answer its requests."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from training.served import tensorflow_call
from training.warmup import FILE, PredictionLog, write_warmup

# Prints the requests with Google's message classes, if they are installed.
GOOGLE = """
import sys
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog
import tensorflow as tf
for record in tf.data.TFRecordDataset(sys.argv[1]):
    log = PredictionLog.FromString(record.numpy())
    request = log.predict_log.request
    shapes = {key: tf.make_ndarray(value).shape for key, value in sorted(request.inputs.items())}
    print(log.WhichOneof("log_type"), request.model_spec.name, request.model_spec.signature_name, shapes)
"""


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two signatures: uint8 pictures, and rows of several types."""
    module = tf.Module()
    pixels = tf.TensorSpec([None, 299, 299, 3], tf.uint8, name="image")
    row = [tf.TensorSpec([None], tf.string, name="kind"), tf.TensorSpec([None, 1], tf.int64, name="months")]
    signatures = {
        "serving_default": tf.function(lambda kind, months: {"size": tf.strings.length(kind)}, input_signature=row),
        "serving_uint8": tf.function(lambda image: {"sum": tf.reduce_sum(image, (1, 2, 3))}, input_signature=[pixels]),
    }
    folder = tmp_path_factory.mktemp("model") / "1"
    tf.saved_model.save(module, str(folder), signatures=signatures)
    write_warmup(folder, "mixed")
    return folder


def test_each_signature_has_a_valid_request(version: Path) -> None:
    """Read like in TF-Serving: records, messages, tensors."""
    answered = []
    for record in tf.data.TFRecordDataset(str(version / FILE)):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        outputs = tensorflow_call(version, request.model_spec.signature_name)(inputs)
        answered.append((request.model_spec.name, request.model_spec.signature_name, sorted(inputs), sorted(outputs)))
    assert answered == [
        ("mixed", "serving_default", ["kind", "months"], ["size"]),
        ("mixed", "serving_uint8", ["image"], ["sum"]),
    ]


def test_the_file_is_small_and_reproducible(version: Path) -> None:
    """One value encodes a picture of 268,203 bytes."""
    first = (version / FILE).read_bytes()
    write_warmup(version, "mixed")
    assert (version / FILE).read_bytes() == first
    assert len(first) < 1000


@pytest.mark.skipif("TENSORGATE_TF_PYTHON" not in os.environ, reason="no TENSORGATE_TF_PYTHON with Google's messages")
def test_googles_classes_read_the_file(version: Path) -> None:
    """The classes are those of tensorflow-serving-api."""
    command = [os.environ["TENSORGATE_TF_PYTHON"], "-c", GOOGLE, str(version / FILE)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert printed.splitlines() == [
        "predict_log mixed serving_default {'kind': (1,), 'months': (1, 1)}",
        "predict_log mixed serving_uint8 {'image': (1, 299, 299, 3)}",
    ]


def test_values_are_zeros(version: Path) -> None:
    """Denormal numbers would be slow."""
    records = list(tf.data.TFRecordDataset(str(version / FILE)))
    image = PredictionLog.FromString(records[1].numpy()).predict_log.request.inputs["image"]
    assert np.array_equal(tf.make_ndarray(image), np.zeros((1, 299, 299, 3), np.uint8))
