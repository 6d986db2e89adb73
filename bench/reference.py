"""What a Python engineer would write in an hour: Pillow, numpy and grpcio behind the standard library's HTTP server."""

import io
import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / ".generated"))
from tensorflow.core.framework import tensor_pb2, types_pb2  # noqa: E402
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc  # noqa: E402

CLASSES = ["dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt"]
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(sys.argv[1], options=OPTIONS))


def tensor_of(photo: bytes) -> np.ndarray:
    """Pillow, RGB, nearest, x / 127.5 - 1: the same float32 bits that the gateway sends."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB").resize((299, 299), Image.Resampling.NEAREST))
    return pixels[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)


def predict(url: str) -> dict[str, float]:
    """One photo's scores."""
    with urllib.request.urlopen(url, timeout=5) as response:
        tensor = tensor_of(response.read())
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "clothing-model"
    request.model_spec.signature_name = "serving_default"
    proto = request.inputs["input_8"]
    proto.dtype = types_pb2.DT_FLOAT
    for size in tensor.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = tensor.tobytes()
    answer = stub.Predict(request, timeout=20)
    return dict(zip(CLASSES, answer.outputs["dense_7"].float_val, strict=True))


class Handler(BaseHTTPRequestHandler):
    """POST {"url": …}."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answers one prediction."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps(predict(body["url"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing: the gateway's own log goes to nowhere too."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
