"""The networks: xception-small (Xception's three flows, narrow enough for a CPU), and the served model around them."""

from pathlib import Path
from typing import Any, TypeAlias

import keras
import tensorflow as tf
from keras import layers

from .efficientnet import SCALES, build_efficientnet
from .pretrained import IMAGENET, load_pretrained, weights_file
from .settings import INPUT, OUTPUT, SIDE, Settings, middle
from .shrink import linear_resize
from .xception import build_xception, load_xception

ENTRY = ((64, 96), (192, 256))
MIDDLE_BLOCKS = 3
EXIT = (256, 384)
TOP = (512, 768)
Tensor: TypeAlias = keras.KerasTensor


@keras.saving.register_keras_serializable("training")
class FusedNorm(layers.BatchNormalization):
    """Batch normalisation with TensorFlow's fused kernel. Keras' layer is not fused and takes twice the CPU time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # With mixed precision the kernel expects float32 statistics and float16 inputs.
        self.autocast = False

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Like Keras' layer: uses the batch's mean and variance in training, otherwise the moving averages."""
        scale_offset = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        mean, variance = tf.convert_to_tensor(self.moving_mean), tf.convert_to_tensor(self.moving_variance)
        if not training:
            return tf.compat.v1.nn.fused_batch_norm(
                inputs, *scale_offset, mean, variance, self.epsilon, is_training=False
            )[0]
        outputs, mean_now, variance_now = tf.compat.v1.nn.fused_batch_norm(inputs, *scale_offset, epsilon=self.epsilon)
        self.moving_mean.assign(self.momentum * mean + (1 - self.momentum) * mean_now)
        self.moving_variance.assign(self.momentum * variance + (1 - self.momentum) * variance_now)
        return outputs


def _norm(x: Tensor) -> Tensor:
    # 0.95 instead of Keras' 0.99: an epoch has about 100 steps, and the averages must follow within one epoch.
    return FusedNorm(momentum=0.95)(x)


def _conv(x: Tensor, filters: int, stride: int) -> Tensor:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.ReLU()(_norm(x))


def _separable(x: Tensor, filters: int) -> Tensor:
    # Depthwise and pointwise layers instead of SeparableConv2D: each converts to a single ONNX node.
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer="he_normal")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal")(x)
    return _norm(x)


def _down(x: Tensor, widths: tuple[int, int], first_relu: bool = True) -> Tensor:
    """Two separable convolutions and a strided max pool, with a strided 1 x 1 shortcut."""
    shortcut = _norm(layers.Conv2D(widths[1], 1, strides=2, use_bias=False, kernel_initializer="he_normal")(x))
    x = _separable(layers.ReLU()(x) if first_relu else x, widths[0])
    x = _separable(layers.ReLU()(x), widths[1])
    return layers.Add()([layers.MaxPooling2D(3, strides=2, padding="same")(x), shortcut])


def _middle(x: Tensor) -> Tensor:
    """Three separable convolutions with a residual connection."""
    residual = x
    for _ in range(3):
        residual = _separable(layers.ReLU()(residual), x.shape[-1])
    return layers.Add()([x, residual])


def _build_small(classes: int, dropout: float, width: float) -> keras.Model:
    def wide(filters: int) -> int:
        return max(8, 8 * round(filters * width / 8))

    inputs = keras.Input((None, None, 3), name="pooled")
    x = _conv(_conv(inputs, wide(32), 2), wide(48), 1)
    for index, (first, second) in enumerate(ENTRY):
        x = _down(x, (wide(first), wide(second)), first_relu=index > 0)
    for _ in range(MIDDLE_BLOCKS):
        x = _middle(x)
    x = _down(x, (wide(EXIT[0]), wide(EXIT[1])))
    for filters in TOP:
        x = layers.ReLU()(_separable(x, wide(filters)))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes, name=OUTPUT, dtype="float32")(x), name="trunk")


def build_trunk(settings: Settings, classes: int) -> keras.Model:
    """The network after shrinking, with random weights: float [n, side, side, 3] to logits [n, classes]."""
    if settings.architecture == "xception":
        return build_xception(classes, settings.dropout)
    if settings.architecture in SCALES:
        return build_efficientnet(settings.architecture, classes, settings.dropout)
    return _build_small(classes, settings.dropout, settings.width)


def starts_pretrained(settings: Settings) -> bool:
    """Whether the initial weights are those of EfficientNet-Lite with ImageNet's classes, so the head starts anew."""
    weights = settings.weights or ""
    return settings.architecture in SCALES and (weights == IMAGENET or weights.endswith(".pth"))


def load_start(trunk: keras.Model, settings: Settings) -> None:
    """Loads the initial weights, if any. Raises ValueError if they cannot be loaded."""
    weights = settings.weights
    if weights is None:
        return
    if weights != IMAGENET and not Path(weights).is_file():
        raise ValueError(f"--weights {weights}: no such file")
    if settings.architecture == "xception":
        load_xception(trunk, weights)
    elif starts_pretrained(settings):
        file = weights_file(settings.architecture) if weights == IMAGENET else Path(weights)
        load_pretrained(trunk, settings.architecture, file)
    else:
        trunk.load_weights(weights)


def _pooled(image: Tensor, settings: Settings) -> Tensor:
    """The centre of the photo, averaged in squares."""
    part = middle(settings.pool, settings.side)
    before, after = part.start, SIDE - part.stop
    inner = layers.Cropping2D(((before, after), (before, after)))(image)
    return layers.AveragePooling2D(settings.pool)(inner) if settings.pool > 1 else inner


def build_served(trunk: keras.Model, settings: Settings) -> keras.Model:
    """The served model: takes 299 x 299 like Xception, and shrinks the photo inside the graph."""
    inputs, side = keras.Input((SIDE, SIDE, 3), name=INPUT), settings.side
    bilinear = settings.shrink == "bilinear" and side < SIDE
    small = linear_resize(inputs, side) if bilinear else _pooled(inputs, settings)
    return keras.Model(inputs, trunk(small), name="served")
