"""make_inputs.py FOLDER: write a SavedModel with a signature for each dtype of an input. All answer the same numbers.

The scores are the mean and the weighted mean of a picture's pixels, [n, 2].
"""

import sys

import tensorflow as tf

(FOLDER,) = sys.argv[1:]
SHAPE = [None, 4, 6, 3]
DTYPES = (tf.float32, tf.float16, tf.bfloat16, tf.uint8, tf.int32)
WEIGHTS = tf.reshape(tf.range(4.0 * 6 * 3), [1, -1])


def scores(image: tf.Tensor) -> dict[str, tf.Tensor]:
    flat = tf.reshape(tf.cast(image, tf.float32), [-1, 4 * 6 * 3])
    return {"logits": tf.stack([tf.reduce_mean(flat, 1), tf.reduce_mean(flat * WEIGHTS, 1)], 1)}


def signature(dtype: tf.DType) -> tf.types.experimental.ConcreteFunction:
    return tf.function(scores).get_concrete_function(tf.TensorSpec(SHAPE, dtype, name="image"))


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image")])
def encoded(image: tf.Tensor) -> dict[str, tf.Tensor]:
    def pixels(file: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(tf.io.decode_png(file, 3), SHAPE[1:3], "nearest")

    return scores(tf.map_fn(pixels, image, fn_output_signature=tf.uint8))


signatures = {dtype.name: signature(dtype) for dtype in DTYPES}
tf.saved_model.save(tf.Module(), FOLDER, signatures={**signatures, "encoded": encoded})
