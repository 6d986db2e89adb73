"""Shared by the references: the tensor of a photo, the Predict request of a tensor, and the scores of its response."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / ".generated"))
from tensorflow.core.framework import types_pb2  # noqa: E402
from tensorflow_serving.apis import predict_pb2  # noqa: E402

CLASSES = ["dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt"]
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def tensor_of(photo: bytes) -> np.ndarray:
    """Decode, resize (nearest), scale by x / 127.5 - 1. Shape [1, 299, 299, 3]; the float32 bits that the gateway sends."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB").resize((299, 299), Image.Resampling.NEAREST))
    return pixels[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)


def request_of(tensor: np.ndarray) -> predict_pb2.PredictRequest:
    """Return the Predict request of one batch."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "clothing-model"
    request.model_spec.signature_name = "serving_default"
    proto = request.inputs["input_8"]
    proto.dtype = types_pb2.DT_FLOAT
    for size in tensor.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = tensor.tobytes()
    return request


def scores_of(answer: predict_pb2.PredictResponse) -> dict[str, float]:
    """Return the score of each class."""
    return dict(zip(CLASSES, answer.outputs["dense_7"].float_val, strict=True))
