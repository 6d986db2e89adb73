"""The unmodified client `kserve.InferenceRESTClient` against a gateway: python kserve_rest.py HOST:PORT MODELS"""

import base64
import sys
import unittest
from pathlib import Path

import httpx
import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from samples import array_of, check_columns, pictures_of, table_of

URL, MODELS = f"http://{sys.argv[1]}", Path(sys.argv[2])


def inputs_of(rows, datatypes, binary):
    inputs = []
    for name, datatype in datatypes.items():
        tensor = InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(array_of(datatype, [row[name] for row in rows]), binary_data=binary)
        inputs.append(tensor)
    return inputs


class V2(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = InferenceRESTClient(RESTConfig(protocol="v2"))
        self.addAsyncCleanup(self.client.close)

    async def test_health(self):
        self.assertTrue(await self.client.is_server_live(URL))
        self.assertTrue(await self.client.is_server_ready(URL))
        self.assertTrue(await self.client.is_model_ready(URL, "churn"))
        self.assertFalse(await self.client.is_model_ready(URL, "no-such-model"))

    async def test_tables_as_json_and_as_binary_data(self):
        for model in ("churn", "credit"):
            rows, outputs = table_of(MODELS, model)
            answer = httpx.get(f"{URL}/v2/models/{model}").json()
            datatypes = {info["name"]: info["datatype"] for info in answer["inputs"]}
            for binary in (True, False):
                wanted = [RequestedOutput(name, parameters={"binary_data": not binary}) for name in outputs[0]]
                for requested in (None, wanted):
                    inputs = inputs_of(rows, datatypes, binary)
                    request = InferRequest(model, inputs, request_id="r-1", request_outputs=requested)
                    result = await self.client.infer(URL, request, model_name=model)
                    self.assertEqual((result.id, result.model_name), ("r-1", model))
                    check_columns({output.name: output.as_numpy() for output in result.outputs}, outputs)

    async def test_encoded_pictures(self):
        pictures, expected, tolerance = pictures_of(MODELS)
        tensor = InferInput("image", [len(pictures)], "BYTES")
        tensor.set_data_from_numpy(numpy.array(pictures, dtype=numpy.object_), binary_data=True)
        result = await self.client.infer(URL, InferRequest("clothing-model", [tensor]), model_name="clothing-model")
        numpy.testing.assert_allclose(result.outputs[0].as_numpy(), expected, atol=tolerance)

    async def test_a_mistake_is_an_error_with_its_text(self):
        request = InferRequest("churn", [InferInput("no-such-input", [1], "FP32", data=[1.0])])
        with self.assertRaises(httpx.HTTPStatusError) as caught:
            await self.client.infer(URL, request, model_name="churn")
        self.assertEqual(caught.exception.response.status_code, 400)
        self.assertIn("no such input", str(caught.exception))


class V1(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = InferenceRESTClient(RESTConfig(protocol="v1"))
        self.addAsyncCleanup(self.client.close)

    async def test_tables(self):
        for model in ("churn", "credit"):
            rows, outputs = table_of(MODELS, model)
            answer = await self.client.infer(URL, {"instances": rows}, model_name=model)
            columns = {name: [row[name] for row in answer["predictions"]] for name in outputs[0]}
            check_columns(columns, outputs)

    async def test_a_model_that_is_not_there_raises(self):
        with self.assertRaises(httpx.HTTPStatusError) as caught:
            await self.client.is_model_ready(URL, "no-such-model")
        self.assertEqual(caught.exception.response.status_code, 404)

    async def test_pictures(self):
        pictures, expected, tolerance = pictures_of(MODELS)
        instances = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
        answer = await self.client.infer(URL, {"instances": instances}, model_name="clothing-model")
        numpy.testing.assert_allclose(answer["predictions"], expected, atol=tolerance)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
