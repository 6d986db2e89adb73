"""
The requests of MLflow's client and of Vertex AI's SDK against a gateway whose MODEL_NAME is churn:
python platforms.py HOST:PORT MODELS

Neither package is installed: the one needs scipy, the other many clients of Google Cloud.
"""

import json
import sys
import unittest
from pathlib import Path

import pandas
import urllib3

from samples import check_columns, table_of

TARGET, MODELS = sys.argv[1], Path(sys.argv[2])
ROWS, OUTPUTS = table_of(MODELS, "churn")


def check_rows(predictions):
    check_columns({name: [row[name] for row in predictions] for name in OUTPUTS[0]}, OUTPUTS)


def send(path, body):
    response = urllib3.PoolManager().request(
        method="POST",
        url=f"http://{TARGET}{path}",
        body=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    return response.status, json.loads(response.data)


class MLflow(unittest.TestCase):
    """What `mlflow.pyfunc.scoring_server.client.ScoringServerClient.invoke` sends for each kind of data."""

    def check(self, body):
        status, answer = send("/invocations", body)
        self.assertEqual(status, 200, answer)
        check_rows(answer["predictions"])

    def test_a_data_frame(self):
        split = pandas.DataFrame(ROWS).to_dict(orient="split")
        self.assertEqual(list(split), ["index", "columns", "data"])
        self.check({"dataframe_split": split})
        self.check({"dataframe_split": split, "params": {"unknown": 1}})

    def test_a_list(self):
        self.check({"inputs": ROWS})

    def test_what_its_server_takes_beside(self):
        columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
        for body in ({"instances": ROWS}, {"inputs": columns}, {"dataframe_records": ROWS}):
            self.check(body)

    def test_its_health(self):
        self.assertEqual(urllib3.PoolManager().request("GET", f"http://{TARGET}/ping").status, 200)


class VertexAI(unittest.TestCase):
    """What `google.cloud.aiplatform.PrivateEndpoint.predict` sends. Other endpoints hand the same on to the container."""

    def predict(self, instances, parameters=None):
        return send("/v1/endpoints/7:predict", {"instances": instances, "parameters": parameters})

    def test_predict(self):
        for parameters in (None, {}, {"confidenceThreshold": 0.5}):
            status, answer = self.predict(ROWS, parameters)
            self.assertEqual(status, 200, answer)
            check_rows(answer["predictions"])

    def test_a_mistake(self):
        status, answer = self.predict([{**ROWS[0], "tenure": "abc"}])
        self.assertEqual(status, 400)
        self.assertIn("instances[0].tenure", answer["detail"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
