"""What the network computes in: half precision where the device is made for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

# From Volta on, NVIDIA's GPUs multiply float16 several times as fast as float32.
TENSOR_CORES = (7, 0)


def device_policy() -> str:
    """Keras' mixed_float16 where every GPU has tensor cores; float32 on a CPU, which gains nothing from less."""
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    capable = [detail.get("compute_capability", (0, 0)) >= TENSOR_CORES for detail in details]
    return "mixed_float16" if capable and all(capable) else "float32"


@contextmanager
def precision(policy: str) -> Iterator[None]:
    """Networks built inside compute by this policy; what is built afterwards, for export, by float32 again."""
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")
