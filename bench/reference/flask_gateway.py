"""The Flask reference, as in many tutorials: Flask, gunicorn's default worker, keras-image-helper and grpcio."""

import json
import os

import grpc
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from job import OPTIONS, request_of, scores_of
from keras_image_helper import create_preprocessor
from tensorflow_serving.apis import prediction_service_pb2_grpc


def create_app() -> Flask:
    """Make the application and its channel, in the worker: gRPC channels do not survive a fork."""
    preprocessor = create_preprocessor("xception", target_size=(299, 299))
    channel = grpc.insecure_channel(os.environ["TF_SERVING_HOST"], options=OPTIONS)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    app = Flask("gateway")

    @app.post("/predict")
    def predict() -> Response:
        """Return the scores of one photo."""
        tensor = preprocessor.from_url(request.get_json()["url"])
        return jsonify(scores_of(stub.Predict(request_of(tensor), timeout=20)))

    return app


class Gunicorn(BaseApplication):
    """Gunicorn with its command line defaults. Prints its port when it listens."""

    def load_config(self) -> None:
        """Set the address and the hook; the default is one worker."""
        self.cfg.set("bind", "127.0.0.1:0")
        self.cfg.set("when_ready", lambda arbiter: print(json.dumps({"port": arbiter.LISTENERS[0].sock.getsockname()[1]}), flush=True))

    def load(self) -> Flask:
        """Make the worker's application."""
        return create_app()


Gunicorn().run()
