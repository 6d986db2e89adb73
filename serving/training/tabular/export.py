"""Writes a version in both formats and checks that their outputs match the network's."""

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..served import onnx_call, onnx_file, tensorflow_call
from ..warmup import write_warmup
from .network import Columns, Network
from .onnx_graph import save_onnx
from .saved_model import save_model

TOLERANCE = 1e-6


def export(network: Network, version: Path, model: str) -> None:
    """Replaces the version's folder with a SavedModel, a warm-up request for `model`, and model.onnx."""
    save_model(network, version)
    save_onnx(network, onnx_file(version))
    write_warmup(version, model)


def largest_difference(version: Path, columns: Columns, wanted: dict[str, NDArray[Any]]) -> float:
    """The largest difference of any output in either format from the wanted values [n]. Decisions count as 0 and 1.

    Raises ValueError above the tolerance.
    """
    largest = 0.0
    for call in (tensorflow_call(version), onnx_call(version)):
        outputs = call(columns)
        for name, values in wanted.items():
            # A regression's output is [n, 1].
            answered = outputs[name].reshape(values.shape).astype(np.float64)
            difference = np.abs(answered - values.astype(np.float64)).max()
            largest = np.maximum(largest, difference)
    # "not <=" instead of ">", so that NaN fails the check.
    if not largest <= TOLERANCE:
        raise ValueError(f"{version}: outputs differ from the model's by {largest:.2g}, allowed {TOLERANCE:g}")
    return float(largest)


def milliseconds(version: Path, row: Columns, runs: int = 200) -> dict[str, float]:
    """Median wall-clock and CPU time of one row through model.onnx on one thread."""
    call, clock, cpu = onnx_call(version, threads=1), [], []
    for _ in range(runs):
        clock_start, cpu_start = time.perf_counter(), time.process_time()
        call(row)
        clock.append(1000 * (time.perf_counter() - clock_start))
        cpu.append(1000 * (time.process_time() - cpu_start))
    return {"threads": 1, "clock": round(statistics.median(clock), 3), "cpu": round(statistics.median(cpu), 3)}
