"""Measures ONNX Runtime's Python package on models that take pictures, without a server.

Reads a line `FILE THREADS IMAGES` for each measurement, and answers with images per second.
"""

import sys
import threading
import time
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


def per_second(opened: ort.InferenceSession, threads: int, images: int) -> float:
    """Return the images per second of `threads` concurrent callers."""
    callers = [threading.Thread(target=run, args=(opened, images // threads)) for _ in range(threads)]
    started = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return images / (time.perf_counter() - started)


for line in sys.stdin:
    file, threads, images = line.split()
    print(per_second(session(file), int(threads), int(images)), flush=True)
