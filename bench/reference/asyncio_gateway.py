"""The asyncio reference: FastAPI on uvicorn, aiohttp, Pillow and grpc.aio, in one process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import grpc
from fastapi import FastAPI
from job import OPTIONS, request_of, scores_of, tensor_of
from pydantic import BaseModel
from serve import serve
from tensorflow_serving.apis import prediction_service_pb2_grpc


class PredictBody(BaseModel):
    """The request body."""

    url: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the HTTP session and the gRPC channel for the lifetime of the server."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        grpc.aio.insecure_channel(os.environ["TF_SERVING_HOST"], options=OPTIONS) as channel,
    ):
        app.state.session = session
        app.state.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(body: PredictBody) -> dict[str, float]:
    """Return the scores of one photo."""
    async with app.state.session.get(body.url) as response:
        photo = await response.read()
    return scores_of(await app.state.stub.Predict(request_of(tensor_of(photo)), timeout=20))


serve(app)
