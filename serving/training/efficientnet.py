"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation, with ReLU6, for CPUs.

Sources: Tan and Le, "EfficientNet", 2019, and the Lite variants in TensorFlow's TPU repository, 2020.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import keras
from keras import layers

from .settings import OUTPUT

Tensor: TypeAlias = keras.KerasTensor
# Factors of channels and of repeated blocks.
SCALES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite2": (1.1, 1.2)}
# The first and last convolution have these channels at every scale.
STEM, TOP = 32, 1280
POOLED = "features"
# Photos reach the network as x / 127.5 - 1. It was trained with (x - 127) / 128.
RESCALE = {"scale": 127.5 / 128, "offset": 0.5 / 128}


class Stage(NamedTuple):
    """Blocks of the same kernel and width. The first has the stride, the others keep shape and add their input."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Block(NamedTuple):
    """One inverted bottleneck: expand by 1 x 1, depthwise convolution, project by 1 x 1."""

    name: str
    kernel: int
    stride: int
    expansion: int
    filters: int


def _scaled(filters: int, width: float) -> int:
    """The scaled channels as a multiple of 8, at most 10 % below."""
    rounded = max(8, int(filters * width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters * width else rounded + 8


def blocks(architecture: str) -> Iterator[Block]:
    """The blocks from input to output. Lite never repeats the first and the last stage more often."""
    width, depth = SCALES[architecture]
    number = 0
    for stage in STAGES:
        ends = stage in (STAGES[0], STAGES[-1])
        for repeat in range(stage.repeats if ends else math.ceil(depth * stage.repeats)):
            stride = 1 if repeat else stage.stride
            yield Block(f"block{number}", stage.kernel, stride, stage.expansion, _scaled(stage.filters, width))
            number += 1


def _relu6(x: Tensor) -> Tensor:
    return layers.ReLU(max_value=6.0)(x)


def _pointwise(x: Tensor, filters: int, name: str) -> Tensor:
    return layers.Conv2D(filters, 1, name=name)(x)


def _bottleneck(x: Tensor, block: Block) -> Tensor:
    inner, channels = x, x.shape[-1]
    if block.expansion > 1:
        inner = _relu6(_pointwise(inner, channels * block.expansion, f"{block.name}_expand"))
    depthwise = layers.DepthwiseConv2D(block.kernel, block.stride, "same", name=f"{block.name}_depthwise")
    inner = _pointwise(_relu6(depthwise(inner)), block.filters, f"{block.name}_project")
    return layers.Add()([x, inner]) if block.stride == 1 and channels == block.filters else inner


def build_efficientnet(architecture: str, classes: int, dropout: float) -> keras.Model:
    """The network: float [n, side, side, 3] in -1..1 to logits [n, classes], with random weights.

    It has no batch normalisation: fine-tuning keeps ImageNet's statistics, so they are part of the convolutions
    (pretrained.py), which saves a third of the time of a step.
    """
    inputs = keras.Input((None, None, 3), name="pooled")
    x = layers.Rescaling(**RESCALE)(inputs)
    x = _relu6(layers.Conv2D(STEM, 3, 2, "same", name="stem")(x))
    for block in blocks(architecture):
        x = _bottleneck(x, block)
    x = layers.GlobalAveragePooling2D(name=POOLED)(_relu6(_pointwise(x, TOP, "top")))
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(classes, name=OUTPUT, dtype="float32")(x), name="trunk")
