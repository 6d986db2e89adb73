"""Serves an app on a free port of loopback, and prints the port as a line of JSON."""

import json
import sys

import uvicorn
from fastapi import FastAPI


class Server(uvicorn.Server):
    """Prints its port when it listens."""

    async def startup(self, sockets: list | None = None) -> None:
        """Start, then print the port."""
        await super().startup(sockets)
        print(json.dumps({"port": self.servers[0].sockets[0].getsockname()[1]}), flush=True)


def serve(app: FastAPI) -> None:
    """Serve until the process ends."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log="--access-log" in sys.argv)
    Server(config).run()
