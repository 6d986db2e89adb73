"""The reference for tensors: FastAPI on uvicorn, numpy and grpc.aio, in one process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import numpy as np
from fastapi import FastAPI, Request
from job import OPTIONS
from serve import serve
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the gRPC channel for the lifetime of the server."""
    async with grpc.aio.insecure_channel(os.environ["TF_SERVING_HOST"], options=OPTIONS) as channel:
        app.state.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/models/{model}:predict")
async def predict(model: str, request: Request) -> dict[str, list]:
    """Return the output `y` of the float32 input `x`."""
    body = await request.json()
    values = np.asarray(body["inputs"], dtype=np.float32)
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=values.tobytes())
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    message = predict_pb2.PredictRequest()
    message.model_spec.name = model
    message.model_spec.signature_name = body["signature_name"]
    message.inputs["x"].CopyFrom(tensor)
    answer = (await app.state.stub.Predict(message, timeout=20)).outputs["y"]
    shape = [dim.size for dim in answer.tensor_shape.dim]
    return {"outputs": np.array(answer.float_val, dtype=np.float32).reshape(shape).tolist()}


serve(app)
