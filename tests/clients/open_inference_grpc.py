"""The unmodified client `tritonclient.grpc` against a gateway: python open_inference_grpc.py HOST:PORT MODELS"""

import queue
import sys
import unittest
from pathlib import Path

import numpy
from tritonclient.grpc import (
    InferInput,
    InferenceServerClient,
    InferRequestedOutput,
    InferResult,
    service_pb2,
    service_pb2_grpc,
)
from tritonclient.utils import InferenceServerException

from samples import NUMPY, array_of, check_best_classes, check_columns, pictures_of, table_of

TARGET, MODELS = sys.argv[1], Path(sys.argv[2])


def columns_of(model, rows):
    """The inputs of rows: name, datatype and values."""
    metadata = CLIENT.get_model_metadata(model)
    for info in metadata.inputs:
        values = [row[info.name] for row in rows]
        yield info.name, info.datatype, values


def inputs_of(model, rows):
    inputs = []
    for name, datatype, values in columns_of(model, rows):
        tensor = InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(array_of(datatype, values))
        inputs.append(tensor)
    return inputs


CLIENT = InferenceServerClient(TARGET)


class Server(unittest.TestCase):
    def test_is_live_and_ready_and_tells_its_name(self):
        self.assertTrue(CLIENT.is_server_live())
        self.assertTrue(CLIENT.is_server_ready())
        metadata = CLIENT.get_server_metadata()
        self.assertEqual(metadata.name, "tensorgate")
        self.assertRegex(metadata.version, r"^\d+\.\d+\.\d+")

    def test_models_are_ready_by_name_and_version(self):
        self.assertTrue(CLIENT.is_model_ready("churn"))
        self.assertTrue(CLIENT.is_model_ready("churn", "1"))
        self.assertFalse(CLIENT.is_model_ready("churn", "99"))
        self.assertFalse(CLIENT.is_model_ready("no-such-model"))

    def test_metadata_has_the_signature(self):
        metadata = CLIENT.get_model_metadata("clothing-model", as_json=True)
        self.assertEqual(metadata["name"], "clothing-model")
        self.assertEqual([one["datatype"] for one in metadata["inputs"]], ["FP32"])
        self.assertEqual(metadata["inputs"][0]["shape"], ["-1", "299", "299", "3"])
        self.assertIn("1", CLIENT.get_model_metadata("churn", as_json=True)["versions"])


class Tables(unittest.TestCase):
    def check(self, result, outputs):
        check_columns({name: result.as_numpy(name) for name in outputs[0]}, outputs)

    def test_raw_contents(self):
        for model in ("churn", "credit"):
            rows, outputs = table_of(MODELS, model)
            result = CLIENT.infer(model, inputs_of(model, rows), request_id="r-1")
            self.check(result, outputs)
            response = result.get_response()
            self.assertEqual((response.id, response.model_name, response.model_version), ("r-1", model, "1"))
            self.assertEqual(len(response.raw_output_contents), len(response.outputs))

    def test_typed_contents(self):
        fields = {"INT64": "int64_contents", "FP32": "fp32_contents", "BYTES": "bytes_contents"}
        rows, outputs = table_of(MODELS, "churn")
        request = service_pb2.ModelInferRequest(model_name="churn")
        for name, datatype, values in columns_of("churn", rows):
            tensor = request.inputs.add(name=name, datatype=datatype, shape=[len(values)])
            texts = [value.encode() for value in values] if datatype == "BYTES" else values
            getattr(tensor.contents, fields[datatype]).extend(texts)
        response = service_pb2_grpc.GRPCInferenceServiceStub(CLIENT._channel).ModelInfer(request)
        self.assertEqual(len(response.raw_output_contents), 0)
        by_name = {output.name: output for output in response.outputs}
        probabilities = by_name["churn_probability"].contents.fp32_contents
        decisions = by_name["churn"].contents.bool_contents
        check_columns({"churn_probability": list(probabilities), "churn": list(decisions)}, outputs)
        self.check(InferResult(CLIENT.infer("churn", inputs_of("churn", rows)).get_response()), outputs)

    def test_compressed_requests(self):
        rows, outputs = table_of(MODELS, "churn")
        for algorithm in ("gzip", "deflate"):
            self.check(CLIENT.infer("churn", inputs_of("churn", rows), compression_algorithm=algorithm), outputs)

    def test_what_is_not_offered_is_unimplemented(self):
        for call in (
            CLIENT.get_inference_statistics,
            CLIENT.get_model_repository_index,
            CLIENT.get_trace_settings,
            CLIENT.get_log_settings,
            CLIENT.get_system_shared_memory_status,
            lambda: CLIENT.get_model_config("churn"),
            lambda: CLIENT.load_model("churn"),
        ):
            with self.assertRaises(InferenceServerException) as caught:
                call()
            self.assertEqual(caught.exception.status(), "StatusCode.UNIMPLEMENTED")

    def test_a_stream_ends_with_unimplemented(self):
        answers = queue.Queue()
        CLIENT.start_stream(lambda result, error: answers.put((result, error)))
        try:
            result, error = answers.get(timeout=20)
            self.assertIsNone(result)
            self.assertEqual(error.status(), "StatusCode.UNIMPLEMENTED")
        finally:
            CLIENT.stop_stream(cancel_requests=True)

    def test_only_the_outputs_that_are_asked_for(self):
        rows, _ = table_of(MODELS, "churn")
        outputs = [InferRequestedOutput("churn")]
        result = CLIENT.infer("churn", inputs_of("churn", rows), model_version="1", outputs=outputs)
        self.assertEqual([one.name for one in result.get_response().outputs], ["churn"])

    def test_asynchronous_calls_on_one_connection(self):
        rows, _ = table_of(MODELS, "churn")
        answers = queue.Queue()
        for _ in range(50):
            CLIENT.async_infer("churn", inputs_of("churn", rows), lambda result, error: answers.put((result, error)))
        for _ in range(50):
            result, error = answers.get(timeout=20)
            self.assertIsNone(error)
            self.assertEqual(len(result.as_numpy("churn")), len(rows))


class Pictures(unittest.TestCase):
    def test_encoded_pictures_are_converted_as_in_training(self):
        pictures, expected, tolerance = pictures_of(MODELS)
        name = CLIENT.get_model_metadata("clothing-model").inputs[0].name
        for shape in ([len(pictures)], [len(pictures), 1]):
            tensor = InferInput(name, shape, "BYTES")
            tensor.set_data_from_numpy(numpy.array(pictures, dtype=numpy.object_).reshape(shape))
            response = CLIENT.infer("clothing-model", [tensor])
            scores = response.as_numpy(response.get_response().outputs[0].name)
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
        self.assertEqual(caught.exception.status(), "StatusCode.INVALID_ARGUMENT")
        self.assertIn("inputs[0] (image)[0]", caught.exception.message())

    def test_pixels_are_tensors(self):
        tensor = InferInput("image", [1, 299, 299, 3], "FP32")
        tensor.set_data_from_numpy(numpy.zeros([1, 299, 299, 3], dtype=numpy.float32))
        result = CLIENT.infer("clothing-model", [tensor])
        self.assertEqual(result.as_numpy(result.get_response().outputs[0].name).shape, (1, 10))


class Mistakes(unittest.TestCase):
    def check(self, model, inputs, status, text, **options):
        with self.assertRaises(InferenceServerException) as caught:
            CLIENT.infer(model, inputs, **options)
        self.assertEqual(caught.exception.status(), f"StatusCode.{status}")
        self.assertIn(text, caught.exception.message())

    def test_are_statuses_with_the_place(self):
        inputs = inputs_of("churn", table_of(MODELS, "churn")[0][:1])
        self.check("no-such-model", inputs, "NOT_FOUND", "no such model")
        self.check("churn", inputs, "NOT_FOUND", "version 99", model_version="99")
        self.check("churn", inputs, "INVALID_ARGUMENT", "model_version", model_version="latest")
        self.check("churn", inputs[1:], "INVALID_ARGUMENT", f"{inputs[0].name()} is missing")
        self.check("churn", [*inputs, inputs[0]], "INVALID_ARGUMENT", "send it once")
        wrong = InferInput(inputs[0].name(), [1], "FP64")
        wrong.set_data_from_numpy(numpy.zeros([1]))
        self.check("churn", [wrong, *inputs[1:]], "INVALID_ARGUMENT", "datatype: expected")
        wrong = InferInput(inputs[0].name(), [1, 2], inputs[0].datatype())
        wrong.set_data_from_numpy(numpy.array([[b"a", b"b"]], dtype=numpy.object_) if inputs[0].datatype() == "BYTES" else numpy.zeros([1, 2], dtype=NUMPY[inputs[0].datatype()]))
        self.check("churn", [wrong, *inputs[1:]], "INVALID_ARGUMENT", "shape: expected [n], got [1,2]")
        outputs = [InferRequestedOutput("no-such-output")]
        self.check("churn", inputs, "INVALID_ARGUMENT", "no-such-output", outputs=outputs)

    def test_a_deadline_is_kept(self):
        rows, _ = table_of(MODELS, "churn")
        self.check("churn", inputs_of("churn", rows), "DEADLINE_EXCEEDED", "", client_timeout=0.000_001)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
