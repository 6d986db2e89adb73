"""The asyncio reference: FastAPI on uvicorn, aiohttp, Pillow and grpc.aio, in one process."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import grpc
import uvicorn
from fastapi import FastAPI
from job import OPTIONS, request_of, scores_of, tensor_of
from pydantic import BaseModel
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


class Server(uvicorn.Server):
    """Prints its port when it listens."""

    async def startup(self, sockets: list | None = None) -> None:
        """Start, then print the port as a line of JSON."""
        await super().startup(sockets)
        print(json.dumps({"port": self.servers[0].sockets[0].getsockname()[1]}), flush=True)


config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log="--access-log" in sys.argv)
Server(config).run()
