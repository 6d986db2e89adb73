"""make_explained.py FOLDER: write SavedModels with the signature `explain`: FOLDER/pictures/1 and FOLDER/table/1."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

sys.path.append(str(Path(__file__).parents[2] / "serving"))
from training.explain import EXPLAIN, explain_signature  # noqa: E402

(FOLDER,) = sys.argv[1:]


def save(name: str, scores: tf.types.experimental.GenericFunction, inputs: list[tf.TensorSpec], output: str) -> None:
    """Saves a function of all inputs with both signatures."""
    explain, given = explain_signature(lambda tensors: scores(*tensors)[output], inputs, output)
    signatures = {
        "serving_default": tf.function(scores, input_signature=inputs),
        EXPLAIN: tf.function(explain, input_signature=given),
    }
    tf.saved_model.save(tf.Module(), str(Path(FOLDER) / name / "1"), signatures=signatures)


chance = np.random.default_rng(8)
KERNEL = tf.constant(chance.normal(0, 0.5, (3, 3, 3, 8)), tf.float32)
DENSE = tf.constant(chance.normal(0, 1, (8, 3)), tf.float32)


def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Three logits of a picture."""
    features = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(image, KERNEL, 2, "SAME")), 3, 2, "SAME")
    return {"logits": tf.reduce_mean(features, (1, 2)) @ DENSE}


def risk(age: tf.Tensor, income: tf.Tensor) -> dict[str, tf.Tensor]:
    """One probability of two numbers."""
    return {"risk": tf.sigmoid(0.05 * age - 0.4 * income + 0.02 * age * income)}


save("pictures", classify, [tf.TensorSpec([None, 48, 64, 3], tf.float32, "image")], "logits")
save("table", risk, [tf.TensorSpec([None], tf.float32, name) for name in ("age", "income")], "risk")
