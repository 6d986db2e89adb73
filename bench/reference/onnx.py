"""Measures ONNX Runtime's Python package on a model: images per second for each number of concurrent threads."""

import json
import sys
import threading
import time

import numpy as np
import onnxruntime as ort

model, name, cores, images, *concurrency = sys.argv[1:]
options = ort.SessionOptions()
options.intra_op_num_threads = int(cores)
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
row = np.zeros((1, 299, 299, 3), dtype=np.float32)


def run(count: int) -> None:
    """Run the model on `count` images, one by one."""
    for _ in range(count):
        session.run(None, {name: row})


def per_second(threads: int) -> float:
    """Return the images per second of `threads` concurrent callers."""
    callers = [threading.Thread(target=run, args=(int(images) // threads,)) for _ in range(threads)]
    started = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return int(images) / (time.perf_counter() - started)


run(20)
print(json.dumps([per_second(int(threads)) for threads in concurrency]))
