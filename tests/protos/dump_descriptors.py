"""Write the files for protos.test.ts: names, numbers, types and labels from the owners' descriptors.

    pip install tensorflow-cpu==2.19.1 && pip install --no-deps tensorflow-serving-api==2.19.1
    python dump_descriptors.py tensorflow > descriptors.json
    pip install tritonclient[grpc]==2.73.0
    python dump_descriptors.py inference > inference.json
"""

import importlib
import json
import os
import sys

# The package's service modules were generated for an older protobuf. Only the pure Python implementation loads them.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

TENSORFLOW = {
    "tensorflow.core.framework.types_pb2": ["DataType"],
    "tensorflow.core.framework.tensor_shape_pb2": ["TensorShapeProto"],
    "tensorflow.core.framework.tensor_pb2": ["TensorProto"],
    "tensorflow.core.example.feature_pb2": ["BytesList", "FloatList", "Int64List", "Feature", "Features"],
    "tensorflow.core.example.example_pb2": ["Example"],
    "tensorflow.core.protobuf.meta_graph_pb2": ["TensorInfo", "SignatureDef"],
    "tensorflow.core.protobuf.error_codes_pb2": ["Code"],
    "tensorflow_serving.apis.status_pb2": ["StatusProto"],
    "tensorflow_serving.apis.model_pb2": ["ModelSpec"],
    "tensorflow_serving.apis.predict_pb2": ["PredictRequest", "PredictResponse"],
    "tensorflow_serving.apis.input_pb2": ["ExampleList", "ExampleListWithContext", "Input"],
    "tensorflow_serving.apis.classification_pb2": [
        "Class",
        "Classifications",
        "ClassificationResult",
        "ClassificationRequest",
        "ClassificationResponse",
    ],
    "tensorflow_serving.apis.regression_pb2": [
        "Regression",
        "RegressionResult",
        "RegressionRequest",
        "RegressionResponse",
    ],
    "tensorflow_serving.apis.get_model_metadata_pb2": [
        "SignatureDefMap",
        "GetModelMetadataRequest",
        "GetModelMetadataResponse",
    ],
    "tensorflow_serving.apis.get_model_status_pb2": [
        "GetModelStatusRequest",
        "ModelVersionStatus",
        "GetModelStatusResponse",
    ],
    "tensorflow_serving.apis.model_management_pb2": ["ReloadConfigRequest", "ReloadConfigResponse"],
    "tensorflow_serving.apis.prediction_service_pb2": ["PredictionService"],
    "tensorflow_serving.apis.model_service_pb2": ["ModelService"],
    "tensorflow_serving.config.file_system_storage_path_source_pb2": ["FileSystemStoragePathSourceConfig"],
    "tensorflow_serving.config.model_server_config_pb2": ["ModelConfig", "ModelConfigList", "ModelServerConfig"],
}

INFERENCE = {
    "tritonclient.grpc.service_pb2": [
        "ServerLiveRequest",
        "ServerLiveResponse",
        "ServerReadyRequest",
        "ServerReadyResponse",
        "ModelReadyRequest",
        "ModelReadyResponse",
        "ServerMetadataRequest",
        "ServerMetadataResponse",
        "ModelMetadataRequest",
        "ModelMetadataResponse",
        "InferParameter",
        "InferTensorContents",
        "ModelInferRequest",
        "ModelInferResponse",
        "RepositoryIndexRequest",
        "RepositoryIndexResponse",
        "GRPCInferenceService",
    ],
}


def dump(used):
    found = {"messages": {}, "enums": {}, "methods": {}}
    for module_name, names in used.items():
        file = importlib.import_module(module_name).DESCRIPTOR
        for name in names:
            if message := find(file, "message_types_by_name", name):
                add_message(found, message)
            elif enum := find(file, "enum_types_by_name", name):
                add_enum(found, enum)
            else:
                add_service(found, file.services_by_name[name])
    return found


def find(file, table, name):
    """Look in the file and its public imports: error_codes.proto only re-exports another file."""
    for candidate in [file, *file.public_dependencies]:
        if name in getattr(candidate, table):
            return getattr(candidate, table)[name]
    return None


def add_message(found, message):
    found["messages"][message.full_name] = {field.name: describe(field) for field in message.fields}
    for nested in message.nested_types:
        add_message(found, nested)
    for enum in message.enum_types:
        add_enum(found, enum)


def describe(field):
    """Return number, label, type and oneof: "2 one google.protobuf.Int64Value in version_choice"."""
    label = "repeated" if field.label == field.LABEL_REPEATED else "one"
    oneof = f" in {field.containing_oneof.name}" if field.containing_oneof else ""
    return f"{field.number} {label} {type_name(field)}{oneof}"


def type_name(field):
    if kind := field.message_type or field.enum_type:
        return kind.full_name
    return {
        field.TYPE_DOUBLE: "double",
        field.TYPE_FLOAT: "float",
        field.TYPE_INT64: "int64",
        field.TYPE_UINT64: "uint64",
        field.TYPE_INT32: "int32",
        field.TYPE_BOOL: "bool",
        field.TYPE_STRING: "string",
        field.TYPE_BYTES: "bytes",
        field.TYPE_UINT32: "uint32",
    }[field.type]


def add_enum(found, enum):
    found["enums"][enum.full_name] = {value.name: value.number for value in enum.values}


def add_service(found, service):
    for method in service.methods:
        found["methods"][f"/{service.full_name}/{method.name}"] = [
            method.input_type.full_name,
            method.output_type.full_name,
        ]


if __name__ == "__main__":
    print(json.dumps(dump({"tensorflow": TENSORFLOW, "inference": INFERENCE}[sys.argv[1]]), indent=1))
