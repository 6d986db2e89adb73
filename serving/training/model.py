"""xception-small: Xception's three flows, narrow enough for a CPU."""

import keras
import tensorflow as tf
from keras import layers

from .settings import CLASSES, INPUT, OUTPUT, POOL, SIDE

ENTRY = ((64, 96), (192, 256))
MIDDLE_BLOCKS = 3
MIDDLE = 256
EXIT = (256, 384)
TOP = (512, 768)
Tensor = keras.KerasTensor


@keras.saving.register_keras_serializable("training")
class FusedNorm(layers.BatchNormalization):
    """Batch normalisation by TensorFlow's fused kernel: Keras' own writes it out and takes twice the CPU time."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
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
    # 0.95 instead of Keras' 0.99: an epoch has about a hundred steps, the averages have to follow within one.
    return FusedNorm(momentum=0.95)(x)


def _conv(x: Tensor, filters: int, stride: int) -> Tensor:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.ReLU()(_norm(x))


def _separable(x: Tensor, filters: int) -> Tensor:
    # A depthwise and a pointwise layer instead of SeparableConv2D: converters know both, and each is a plain node.
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer="he_normal")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal")(x)
    return _norm(x)


def _down(x: Tensor, widths: tuple[int, int], first_relu: bool = True) -> Tensor:
    """Two separable layers and a strided pool, beside a strided 1 x 1 shortcut."""
    shortcut = _norm(layers.Conv2D(widths[1], 1, strides=2, use_bias=False, kernel_initializer="he_normal")(x))
    x = _separable(layers.ReLU()(x) if first_relu else x, widths[0])
    x = _separable(layers.ReLU()(x), widths[1])
    return layers.Add()([layers.MaxPooling2D(3, strides=2, padding="same")(x), shortcut])


def _middle(x: Tensor) -> Tensor:
    """Three separable layers added to what came in."""
    residual = x
    for _ in range(3):
        residual = _separable(layers.ReLU()(residual), MIDDLE)
    return layers.Add()([x, residual])


def build_trunk(dropout: float = 0.4) -> keras.Model:
    """The network behind the averaging: any side in, logits out."""
    inputs = keras.Input((None, None, 3), name="pooled")
    x = _conv(_conv(inputs, 32, 2), 48, 1)
    for index, widths in enumerate(ENTRY):
        x = _down(x, widths, first_relu=index > 0)
    for _ in range(MIDDLE_BLOCKS):
        x = _middle(x)
    x = _down(x, EXIT)
    for width in TOP:
        x = layers.ReLU()(_separable(x, width))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(len(CLASSES), name=OUTPUT)(x), name="trunk")


def build_served(trunk: keras.Model) -> keras.Model:
    """The network as served: 299 x 299 in, averaged down inside, so that the gateway sends what Xception would take."""
    inputs = keras.Input((SIDE, SIDE, 3), name=INPUT)
    return keras.Model(inputs, trunk(layers.AveragePooling2D(POOL)(inputs)), name="xception_small")
