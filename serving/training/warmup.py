"""Writes TF-Serving's warm-up requests, so that the first client request is not slow."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

from .explain import EXPLAIN

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# The needed fields of prediction_log.proto, predict.proto and model.proto in tensorflow_serving/apis.
# The package name is our own, so that Google's messages can be loaded too; names are not part of the encoding.
PACKAGE = "tensorgate.warmup"
TENSOR = "." + tensor_pb2.TensorProto.DESCRIPTOR.full_name
MESSAGES = {
    "PredictionLog": (("predict_log", 6, "PredictLog"),),
    "PredictLog": (("request", 1, "PredictRequest"),),
    "PredictRequest": (("model_spec", 1, "ModelSpec"), ("inputs", 2, "map")),
    "ModelSpec": (("name", 1, "string"), ("signature_name", 3, "string")),
}


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label="LABEL_OPTIONAL")
    if kind == "string":
        field.type = field.TYPE_STRING
        return
    if kind == "map":
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, TENSOR)
        field.label, kind = field.LABEL_REPEATED, f"{message.name}.{entry.name}"
    field.type, field.type_name = field.TYPE_MESSAGE, kind if kind == TENSOR else f".{PACKAGE}.{kind}"


def _prediction_log() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="tensorgate/warmup.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append(tensor_pb2.DESCRIPTOR.name)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _add_field(message, *field)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.PredictionLog"))


PredictionLog = _prediction_log()


def _zeros(spec: tf.TensorSpec) -> tensor_pb2.TensorProto:
    """A tensor of zeros, encoded as one value. Variable axes have length one."""
    shape = [size or 1 for size in spec.shape]
    return tf.make_tensor_proto("" if spec.dtype == tf.string else 0, spec.dtype, shape)


def write_warmup(version: Path, model: str) -> None:
    """Writes assets.extra/tf_serving_warmup_requests with one request per signature of the SavedModel.

    Explanations are not warmed up: zeros are no valid request, and the first one may take longer.
    """
    signatures = tf.saved_model.load(str(version)).signatures
    (version / FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(version / FILE)) as records:
        for name in sorted(set(signatures) - {EXPLAIN}):
            log = PredictionLog()
            request = log.predict_log.request
            request.model_spec.name, request.model_spec.signature_name = model, name
            for key, spec in sorted(signatures[name].structured_input_signature[1].items()):
                request.inputs[key].CopyFrom(_zeros(spec))
            records.write(log.SerializeToString(deterministic=True))
