"""The recurring run of Kubeflow, as its API gets it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from kfp import Client

from training.recurring_run import NAME, create

Requests = list[tuple[str, str, dict[str, Any]]]


class _Api(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: Requests = []


class _Handler(BaseHTTPRequestHandler):
    """Answers as Kubeflow Pipelines 2 does for a user without experiments."""

    server: _Api

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        self.server.requests.append(("POST", path, body))
        self._answer({"experiment_id": "e-1"} if path.endswith("experiments") else {"recurring_run_id": "r-1"})

    def _answer(self, value: dict[str, Any]) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keeps the output of the tests clean."""


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Api]:
    """A running API. kfp writes settings into the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    server = _Api()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_run_has_its_schedule_parameters_and_pipeline(api: _Api) -> None:
    """One run at a time, none for missed times, and the steps in the given image."""
    client = Client(host=f"http://127.0.0.1:{api.server_port}")
    parameters = {"data_path": "/data/photos", "models_path": "/models", "epochs": 5}
    assert create(client, "registry.example/training-python:1", "0 0 3 * * 0", None, parameters) == "r-1"
    (_, _, experiment), (_, path, made) = api.requests
    assert experiment["display_name"] == NAME
    assert path == "/apis/v2beta1/recurringruns" and made["experiment_id"] == "e-1"
    assert made["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 0"}}
    assert made["max_concurrency"] == 1 and made["no_catchup"] is True and made["mode"] == "ENABLE"
    assert made["runtime_config"]["parameters"] == parameters
    executors = made["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {"registry.example/training-python:1"}
