"""The job as the references do it, but for the parts they differ in: the tensor of a photo, and the Predict of a tensor."""

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
    """Pillow, RGB, nearest, x / 127.5 - 1: the same float32 bits that the gateway sends."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB").resize((299, 299), Image.Resampling.NEAREST))
    return pixels[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)


def request_of(tensor: np.ndarray) -> predict_pb2.PredictRequest:
    """The Predict of one batch."""
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
    """The classes with their scores."""
    return dict(zip(CLASSES, answer.outputs["dense_7"].float_val, strict=True))
