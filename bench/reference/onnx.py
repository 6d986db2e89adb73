"""Runs models that take pictures in ONNX Runtime's Python package, without a server.

Reads lines `FILE THREADS IMAGES`, and answers each with an empty line when all images were run.
"""

import sys
import threading
from functools import cache

import numpy as np
import onnxruntime as ort

cores = int(sys.argv[1])


@cache
def session(file: str) -> ort.InferenceSession:
    """Open a model with the embedded server's settings of threads, and run it until it is warm."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    opened = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    run(opened, 20)
    return opened


def run(opened: ort.InferenceSession, count: int) -> None:
    """Run the model on `count` images, one by one."""
    (image,) = opened.get_inputs()
    row = np.zeros((1, *image.shape[1:]), dtype=np.uint8 if image.type == "tensor(uint8)" else np.float32)
    for _ in range(count):
        opened.run(None, {image.name: row})


def run_all(opened: ort.InferenceSession, threads: int, images: int) -> None:
    """Run the model for `threads` concurrent callers."""
    callers = [threading.Thread(target=run, args=(opened, images // threads)) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


for line in sys.stdin:
    file, threads, images = line.split()
    run_all(session(file), int(threads), int(images))
    print(flush=True)
