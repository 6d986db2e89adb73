"""The unmodified client `tritonclient.http` against a gateway: python open_inference_http.py HOST:PORT MODELS"""

import asyncio
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput, aio
from tritonclient.utils import InferenceServerException

from samples import array_of, check_best_classes, check_columns, pictures_of, table_of

TARGET, MODELS = sys.argv[1], Path(sys.argv[2])
DOCS = Path(__file__).parents[2] / "docs"
CLIENT = InferenceServerClient(TARGET, concurrency=8)


def inputs_of(model, rows, binary=True):
    inputs = []
    for info in CLIENT.get_model_metadata(model)["inputs"]:
        tensor = InferInput(info["name"], [len(rows)], info["datatype"])
        values = [row[info["name"]] for row in rows]
        tensor.set_data_from_numpy(array_of(info["datatype"], values), binary_data=binary)
        inputs.append(tensor)
    return inputs


def columns_in(result, outputs):
    return {name: result.as_numpy(name) for name in outputs[0]}


class Server(unittest.TestCase):
    def test_is_live_and_ready_and_tells_its_name(self):
        self.assertTrue(CLIENT.is_server_live())
        self.assertTrue(CLIENT.is_server_ready())
        metadata = CLIENT.get_server_metadata()
        self.assertEqual(metadata["name"], "tensorgate")
        self.assertIn("binary_tensor_data", metadata["extensions"])

    def test_models_are_ready_by_name_and_version(self):
        self.assertTrue(CLIENT.is_model_ready("churn"))
        self.assertTrue(CLIENT.is_model_ready("churn", "1"))
        self.assertFalse(CLIENT.is_model_ready("churn", "99"))
        self.assertFalse(CLIENT.is_model_ready("no-such-model"))

    def test_metadata_has_the_signature(self):
        metadata = CLIENT.get_model_metadata("clothing-model")
        [picture] = metadata["inputs"]
        self.assertEqual((picture["datatype"], picture["shape"]), ("FP32", [-1, 299, 299, 3]))
        self.assertIn("1", CLIENT.get_model_metadata("churn")["versions"])


class Tables(unittest.TestCase):
    def test_as_json_and_as_binary_data_in_both_directions(self):
        for model in ("churn", "credit"):
            rows, outputs = table_of(MODELS, model)
            for binary in (True, False):
                inputs = inputs_of(model, rows, binary)
                wanted = [InferRequestedOutput(name, binary_data=not binary) for name in outputs[0]]
                for requested in (None, wanted):
                    result = CLIENT.infer(model, inputs, outputs=requested, request_id="r-1")
                    check_columns(columns_in(result, outputs), outputs)
                    response = result.get_response()
                    named = (response["id"], response["model_name"], response["model_version"])
                    self.assertEqual(named, ("r-1", model, "1"))

    def test_compressed_requests(self):
        rows, outputs = table_of(MODELS, "churn")
        for algorithm in ("gzip", "deflate"):
            compression = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
            result = CLIENT.infer("churn", inputs_of("churn", rows), **compression)
            check_columns(columns_in(result, outputs), outputs)

    def test_only_the_outputs_that_are_asked_for(self):
        rows, _ = table_of(MODELS, "churn")
        outputs = [InferRequestedOutput("churn")]
        result = CLIENT.infer("churn", inputs_of("churn", rows), model_version="1", outputs=outputs)
        self.assertEqual([one["name"] for one in result.get_response()["outputs"]], ["churn"])

    def test_many_requests_at_once(self):
        rows, outputs = table_of(MODELS, "churn")
        inputs = inputs_of("churn", rows)
        for request in [CLIENT.async_infer("churn", inputs) for _ in range(50)]:
            check_columns(columns_in(request.get_result(), outputs), outputs)

    def test_asyncio(self):
        rows, outputs = table_of(MODELS, "credit")
        inputs = inputs_of("credit", rows)

        async def ask():
            async with aio.InferenceServerClient(TARGET) as client:
                return await asyncio.gather(*(client.infer("credit", inputs) for _ in range(10)))

        for result in asyncio.run(ask()):
            check_columns(columns_in(result, outputs), outputs)


class Pictures(unittest.TestCase):
    def test_encoded_pictures_are_converted_as_in_training(self):
        pictures, expected, tolerance = pictures_of(MODELS)
        for shape in ([len(pictures)], [len(pictures), 1]):
            tensor = InferInput("image", shape, "BYTES")
            tensor.set_data_from_numpy(numpy.array(pictures, dtype=numpy.object_).reshape(shape))
            scores = CLIENT.infer("clothing-model", [tensor]).as_numpy("logits")
            numpy.testing.assert_allclose(scores, expected, atol=tolerance)

    def test_the_best_classes_of_a_picture(self):
        pictures, expected, _ = pictures_of(MODELS)
        tensor = InferInput("image", [len(pictures)], "BYTES")
        tensor.set_data_from_numpy(numpy.array(pictures, dtype=numpy.object_))
        outputs = [InferRequestedOutput("logits", class_count=3)]
        best = CLIENT.infer("clothing-model", [tensor], outputs=outputs).as_numpy("logits")
        self.assertEqual(best.shape, (len(pictures), 3))
        check_best_classes(best, expected)

    def test_a_picture_that_cannot_be_read_is_named(self):
        tensor = InferInput("image", [1], "BYTES")
        tensor.set_data_from_numpy(numpy.array([b"no picture"], dtype=numpy.object_))
        with self.assertRaises(InferenceServerException) as caught:
            CLIENT.infer("clothing-model", [tensor])
        self.assertEqual(caught.exception.status(), "422")
        self.assertIn("inputs[0] (image)[0]", caught.exception.message())

    def test_the_client_of_the_docs(self):
        pictures, expected, tolerance = pictures_of(MODELS)
        with tempfile.NamedTemporaryFile() as photo:
            photo.write(pictures[0])
            photo.flush()
            command = [sys.executable, DOCS / "clients/photo.py", TARGET, photo.name]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
        scores = [float(line.split()[1]) for line in answer.stdout.splitlines()]
        numpy.testing.assert_allclose(scores, sorted(expected[0])[:-4:-1], atol=tolerance)

    def test_pixels_are_tensors(self):
        tensor = InferInput("image", [1, 299, 299, 3], "FP32")
        for binary in (True, False):
            tensor.set_data_from_numpy(numpy.zeros([1, 299, 299, 3], dtype=numpy.float32), binary_data=binary)
            self.assertEqual(CLIENT.infer("clothing-model", [tensor]).as_numpy("logits").shape, (1, 10))


class Mistakes(unittest.TestCase):
    def check(self, model, inputs, status, text, **options):
        with self.assertRaises(InferenceServerException) as caught:
            CLIENT.infer(model, inputs, **options)
        self.assertEqual(caught.exception.status(), str(status))
        self.assertIn(text, caught.exception.message())

    def test_are_statuses_with_the_place(self):
        inputs = inputs_of("churn", table_of(MODELS, "churn")[0][:1])
        self.check("no-such-model", inputs, 404, "no such model")
        self.check("churn", inputs, 404, "version 99", model_version="99")
        self.check("churn", inputs, 400, "model_version", model_version="latest")
        self.check("churn", inputs[1:], 400, f"{inputs[0].name()} is missing")
        self.check("churn", inputs, 400, "no-such-output", outputs=[InferRequestedOutput("no-such-output")])
        self.check("churn", inputs, 400, "sequence_id", sequence_id=7)
        shared = InferInput(inputs[0].name(), [1], inputs[0].datatype())
        shared.set_shared_memory("region", 8)
        self.check("churn", [shared, *inputs[1:]], 400, "shared_memory_region: is not offered")

    def test_of_other_routes_are_errors_with_a_text(self):
        for call in (CLIENT.get_model_repository_index, lambda: CLIENT.load_model("churn")):
            with self.assertRaises(InferenceServerException) as caught:
                call()
            self.assertEqual(caught.exception.status(), "404")
            self.assertIn("no such route", caught.exception.message())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
