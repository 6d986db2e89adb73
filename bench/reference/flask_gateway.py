"""The gateway that many tutorials have: Flask, gunicorn's own worker, keras-image-helper and grpcio."""

import json
import os

import grpc
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from job import OPTIONS, request_of, scores_of
from keras_image_helper import create_preprocessor
from tensorflow_serving.apis import prediction_service_pb2_grpc


def create_app() -> Flask:
    """The application, with a connection of its own: gRPC's do not outlive a fork."""
    preprocessor = create_preprocessor("xception", target_size=(299, 299))
    channel = grpc.insecure_channel(os.environ["TF_SERVING_HOST"], options=OPTIONS)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    app = Flask("gateway")

    @app.post("/predict")
    def predict() -> Response:
        """One photo's scores."""
        tensor = preprocessor.from_url(request.get_json()["url"])
        return jsonify(scores_of(stub.Predict(request_of(tensor), timeout=20)))

    return app


class Gunicorn(BaseApplication):
    """Gunicorn as its command line starts it, which tells its port."""

    def load_config(self) -> None:
        """One worker, as by default."""
        self.cfg.set("bind", "127.0.0.1:0")
        self.cfg.set("when_ready", lambda arbiter: print(json.dumps({"port": arbiter.LISTENERS[0].sock.getsockname()[1]}), flush=True))

    def load(self) -> Flask:
        """Makes the worker's application."""
        return create_app()


Gunicorn().run()
