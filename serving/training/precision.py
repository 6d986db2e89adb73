"""The precision of the network: half precision if the device has tensor cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

# Since Volta, NVIDIA GPUs multiply float16 several times faster than float32.
TENSOR_CORES = (7, 0)


def device_policy() -> str:
    """mixed_float16 if every GPU has tensor cores, otherwise float32. A CPU is not faster in half precision."""
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    capable = [detail.get("compute_capability", (0, 0)) >= TENSOR_CORES for detail in details]
    return "mixed_float16" if capable and all(capable) else "float32"


@contextmanager
def precision(policy: str) -> Iterator[None]:
    """Networks built in this context use the policy. Later ones, for export, use float32 again."""
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")
