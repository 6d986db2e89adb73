"""Compares integrated gradients and XRAI with `saliency` (PAIR), which computes them in Python on the same SavedModel.

pip install saliency==0.2.1 scikit-image scipy, then in serving/:
python -m training.tests.against_saliency VERSION PHOTO...

VERSION has saved_model.pb, and explain.onnx or the signature explain. Needs node in PATH.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import saliency.core as saliency
import tensorflow as tf
from scipy.stats import spearmanr

from training.data import normalise, read_pixels
from training.explain import EXPLAIN, TRAPEZOID
from training.served import onnx_call, onnx_file, tensorflow_call
from training.settings import SIGNATURE

Array = npt.NDArray[Any]
STEPS = 50
XRAI = Path(__file__).parents[3] / "bench" / "xrai.ts"


def gradients_of(version: Path) -> Callable[..., dict[str, Array]]:
    """What `saliency` asks for: gradients of one logit by the picture."""
    loaded = tf.saved_model.load(str(version))
    ((name, _),) = loaded.signatures[SIGNATURE].structured_input_signature[1].items()

    def call(
        images: Array, call_model_args: int, expected_keys: object = None, keep: object = loaded
    ) -> dict[str, Array]:
        tensor = tf.constant(np.array(images, np.float32))
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            (scores,) = loaded.signatures[SIGNATURE](**{name: tensor}).values()
            score = scores[:, call_model_args]
        return {saliency.INPUT_OUTPUT_GRADIENTS: tape.gradient(score, tensor).numpy()}

    return call


def trapezoid(call: Callable[..., dict[str, Array]], image: Array, baseline: Array, target: int, steps: int) -> Array:
    """The trapezoid rule by `saliency`, whose rule is the mean over all points: both ends count half here."""
    method = saliency.IntegratedGradients()

    def mean(points: int) -> Array:
        return method.GetMask(image, call, target, x_baseline=baseline, x_steps=points, batch_size=10)

    return (steps * mean(steps) - mean(2)) / (steps - 1)


def ranks(pixels: Array, attributions: Array) -> Array:
    """The gateway's rank of each pixel's region."""
    height, width = attributions.shape
    given = pixels.astype(np.float32).tobytes() + attributions.astype(np.float32).tobytes()
    made = subprocess.run(["node", str(XRAI), str(height), str(width)], input=given, capture_output=True, check=True)
    return np.frombuffer(made.stdout, np.uint16).reshape(height, width)


def compare(version: Path, photos: list[Path]) -> None:
    """Prints the differences for each photo."""
    call = gradients_of(version)
    ours = onnx_call(version, EXPLAIN) if onnx_file(version, EXPLAIN).exists() else tensorflow_call(version, EXPLAIN)
    served = tensorflow_call(version)
    for photo in photos:
        pixels = read_pixels(photo)
        image = normalise(pixels[np.newaxis])
        target = int(served({"image": image})["logits"][0].argmax())
        attributions = {}
        for colour in (-1, 1):
            baseline = np.full_like(image, colour)
            request = {"image": image, "baseline_image": baseline, "target": np.array([target])}
            rule = {"steps": np.array([STEPS]), "quadrature": np.array([TRAPEZOID], object)}
            answer = ours({**request, **rule})
            attributions[colour] = answer["attributions_image"][0]
            theirs = trapezoid(call, image[0], baseline[0], target, STEPS)
            difference = np.abs(attributions[colour] - theirs).max()
            score = float(answer["score_logits"][0] - answer["baseline_score_logits"][0])
            lacking = abs(attributions[colour].sum() - score) / abs(score)
            print(
                f"{photo.name} baseline {colour}: largest difference {difference:.2e} of {np.abs(theirs).max():.2e},"
                f" incomplete by {100 * lacking:.2f} %"
            )
        base = (attributions[-1] + attributions[1]) / 2
        theirs = saliency.XRAI().GetMask(pixels.astype(np.float32) / 127.5 - 1, call, base_attribution=base)
        own = ranks(pixels, base.max(-1))
        print(
            f"{photo.name} XRAI: rank correlation {spearmanr(-own.ravel(), theirs.ravel()).statistic:.3f}", flush=True
        )


if __name__ == "__main__":
    compare(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
