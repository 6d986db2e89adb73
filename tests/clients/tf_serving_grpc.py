"""The unmodified stubs of `tensorflow-serving-api` against a gateway: python tf_serving_grpc.py HOST:PORT MODELS [TEST...]"""

import json
import os
import sys
import unittest
from pathlib import Path

# The package's service modules were generated for an older protobuf. Only the pure Python implementation loads them.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import grpc  # noqa: E402
import tensorflow  # noqa: E402
from tensorflow_serving.apis import (  # noqa: E402
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

TARGET, MODELS = sys.argv[1], Path(sys.argv[2])
CHANNEL = grpc.insecure_channel(TARGET)
PREDICTIONS = prediction_service_pb2_grpc.PredictionServiceStub(CHANNEL)
STATUS = model_service_pb2_grpc.ModelServiceStub(CHANNEL)
TIMEOUT_S = 20


def samples_of(model):
    return json.loads((MODELS / model / "parity/1.json").read_text())


def signature_of(model, version=None):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    response = PREDICTIONS.GetModelMetadata(request, TIMEOUT_S)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return response.model_spec, signatures.signature_def["serving_default"]


def predict_request(model, rows):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    for name, info in signature_of(model)[1].inputs.items():
        dtype = tensorflow.dtypes.as_dtype(info.dtype)
        request.inputs[name].CopyFrom(tensorflow.make_tensor_proto([row[name] for row in rows], dtype))
    return request


class Predict(unittest.TestCase):
    def test_tables_answer_as_in_training(self):
        for model in ("churn", "credit"):
            samples = samples_of(model)
            response = PREDICTIONS.Predict(predict_request(model, samples["instances"]), TIMEOUT_S)
            self.assertEqual((response.model_spec.name, response.model_spec.version.value), (model, 1))
            for name in samples["outputs"][0]:
                got = tensorflow.make_ndarray(response.outputs[name]).tolist()
                self.assertEqual(len(got), len(samples["outputs"]))
                for one, expected in zip(got, [row[name] for row in samples["outputs"]]):
                    self.assertAlmostEqual(one, expected, delta=1e-6)

    def test_compressed_requests(self):
        request = predict_request("churn", samples_of("churn")["instances"])
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            self.assertEqual(len(PREDICTIONS.Predict(request, TIMEOUT_S, compression=compression).outputs), 2)

    def test_the_filter_of_outputs_and_the_version_pass(self):
        request = predict_request("churn", samples_of("churn")["instances"])
        request.output_filter.append("churn")
        request.model_spec.version.value = 1
        self.assertEqual(list(PREDICTIONS.Predict(request, TIMEOUT_S).outputs), ["churn"])

    def test_a_signature_is_serving_default_unless_named(self):
        request = predict_request("churn", samples_of("churn")["instances"])
        request.model_spec.ClearField("signature_name")
        self.assertEqual(len(PREDICTIONS.Predict(request, TIMEOUT_S).outputs), 2)


@unittest.skipUnless((MODELS / "examples").exists(), "no model here takes examples")
class Examples(unittest.TestCase):
    def request_of(self, type_of_request, signature):
        request = type_of_request()
        request.model_spec.name = "examples"
        request.model_spec.signature_name = signature
        for x in (1.0, -2.0, 3.0):
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.append(x)
        return request

    def test_regress(self):
        request = self.request_of(regression_pb2.RegressionRequest, "regress")
        response = PREDICTIONS.Regress(request, TIMEOUT_S)
        self.assertEqual([one.value for one in response.result.regressions], [2.5, 1.0, 3.5])
        self.assertEqual(response.model_spec.version.value, 1)

    def test_classify(self):
        request = self.request_of(classification_pb2.ClassificationRequest, "classify")
        result = PREDICTIONS.Classify(request, TIMEOUT_S).result
        self.assertEqual([len(one.classes) for one in result.classifications], [2, 2, 2])
        self.assertEqual({one.label for one in result.classifications[0].classes}, {"positive", "negative"})

    def test_the_other_method_is_refused_in_the_words_of_the_server(self):
        request = self.request_of(regression_pb2.RegressionRequest, "classify")
        with self.assertRaises(grpc.RpcError) as caught:
            PREDICTIONS.Regress(request, TIMEOUT_S)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(caught.exception.details(), "Expected one output Tensor.")


class LookUps(unittest.TestCase):
    def test_metadata_has_the_signature_and_the_version(self):
        spec, signature = signature_of("clothing-model")
        self.assertGreater(spec.version.value, 0)
        self.assertEqual(signature.method_name, "tensorflow/serving/predict")
        self.assertEqual(signature.inputs["image"].dtype, tensorflow.float32.as_datatype_enum)
        self.assertEqual([dim.size for dim in signature.inputs["image"].tensor_shape.dim], [-1, 299, 299, 3])

    def test_status_has_the_versions(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "churn"
        response = STATUS.GetModelStatus(request, TIMEOUT_S)
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        self.assertEqual([(one.version, one.state) for one in response.model_version_status], [(1, available)])
        self.assertEqual(response.model_version_status[0].status.error_code, 0)


class Mistakes(unittest.TestCase):
    def check(self, call, code, text):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual(caught.exception.code(), code)
        self.assertIn(text, caught.exception.details())

    def test_are_statuses_with_the_reason(self):
        request = predict_request("churn", samples_of("churn")["instances"])
        predict = lambda: PREDICTIONS.Predict(request, TIMEOUT_S)  # noqa: E731
        request.model_spec.version.value = 99
        self.check(predict, grpc.StatusCode.NOT_FOUND, "version 99")
        request.model_spec.ClearField("version")
        request.model_spec.signature_name = "other"
        self.check(predict, grpc.StatusCode.INVALID_ARGUMENT, "signature")
        request.model_spec.signature_name = ""
        name = next(iter(request.inputs))
        request.inputs["other"].CopyFrom(request.inputs[name])
        self.check(predict, grpc.StatusCode.INVALID_ARGUMENT, "other")
        request.model_spec.name = ""
        self.check(predict, grpc.StatusCode.INVALID_ARGUMENT, "model_spec.name")
        request.model_spec.name = "no-such-model"
        self.check(predict, grpc.StatusCode.NOT_FOUND, "no such model")
        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "no-such-model"
        self.check(lambda: STATUS.GetModelStatus(status, TIMEOUT_S), grpc.StatusCode.NOT_FOUND, "no such model")

    def test_a_model_of_tensors_takes_no_examples(self):
        classify = classification_pb2.ClassificationRequest()
        regress = regression_pb2.RegressionRequest()
        for request, method in ((classify, PREDICTIONS.Classify), (regress, PREDICTIONS.Regress)):
            request.model_spec.name = "churn"
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.append(1)
            self.check(lambda: method(request, TIMEOUT_S), grpc.StatusCode.INVALID_ARGUMENT, "")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
