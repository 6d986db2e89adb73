"""The gradients of ONNX graphs are those of TensorFlow, for each kind of layer."""

from collections.abc import Callable

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from keras import layers

from training.explain import TRAPEZOID
from training.explain_onnx import explain_model
from training.shrink import linear_resize
from training.to_onnx import OPSET

Layer = Callable[[keras.KerasTensor], keras.KerasTensor]


def _squeezed(x: keras.KerasTensor) -> keras.KerasTensor:
    """Squeeze and excite."""
    weights = layers.Dense(5, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([x, weights])


LAYERS: dict[str, Layer] = {
    "strided convolution": layers.Conv2D(6, 3, strides=2, padding="same"),
    "dilated convolution": layers.Conv2D(6, 3, dilation_rate=2),
    "depthwise convolution": layers.DepthwiseConv2D(3, strides=2, padding="same"),
    "separable convolution": layers.SeparableConv2D(6, 3),
    "largest of overlapping windows": layers.MaxPooling2D(3, strides=2, padding="same"),
    "mean of padded windows": layers.AveragePooling2D(3, strides=2, padding="same"),
    "mean of windows": layers.AveragePooling2D(2),
    "normalisation": layers.BatchNormalization(),
    "cropping": layers.Cropping2D(((1, 2), (2, 0))),
    "bilinear resizing": layers.Resizing(5, 12),
    "bilinear resizing by constant weights": lambda x: linear_resize(x[:, :8], 5),
    "zeros around": layers.ZeroPadding2D(((1, 2), (2, 0))),
    "rescaling": layers.Rescaling(1 / 127.5, -1),
    "relu": layers.ReLU(),
    "relu6": layers.ReLU(max_value=1.5),
    "leaky relu": layers.LeakyReLU(),
    "swish": layers.Activation("swish"),
    "tanh": layers.Activation("tanh"),
    "softplus": layers.Activation("softplus"),
    "softmax": layers.Softmax(),
    "concatenation": lambda x: layers.Concatenate()([layers.ReLU()(x), x]),
    "difference": lambda x: layers.Subtract()([layers.ReLU()(x), x]),
    "squeeze and excite": _squeezed,
    "global mean": layers.GlobalAveragePooling2D(),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_gradients_match_tensorflow(layer: Layer) -> None:
    """In a network with convolutions before and after: the trapezoid of two points is the mean of both gradients."""
    keras.utils.set_random_seed(6)
    inputs = keras.Input((9, 10, 3), name="photo")
    outputs = layers.Dense(3, name="scores")(layers.Flatten()(layer(layers.Conv2D(5, 2)(inputs))))
    model = keras.Model(inputs, outputs)
    spec = tf.TensorSpec([None, 9, 10, 3], name="photo")
    function = tf.function(lambda photo: {"scores": model(photo, training=False)}, input_signature=[spec])
    proto = tf2onnx.convert.from_function(function, input_signature=[spec], opset=OPSET)[0]
    session = onnxruntime.InferenceSession(explain_model(proto, "scores").SerializeToString())
    photo, baseline = np.random.default_rng(3).normal(0, 1, (2, 1, 9, 10, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        ends = tf.constant(np.concatenate([baseline, photo]))
        tape.watch(ends)
        score = model(ends, training=False)[:, 2]
    wanted = (photo - baseline) * tape.gradient(score, ends).numpy().mean(0, keepdims=True)
    request = {
        "photo": photo,
        "baseline_photo": baseline,
        "target": np.array([2]),
        "steps": np.array([2]),
        "quadrature": np.array([TRAPEZOID], object),
    }
    (got,) = session.run(["attributions_photo"], request)
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(got, wanted, atol=1e-5, rtol=1e-4)
