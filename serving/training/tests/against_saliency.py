"""Compares integrated gradients and XRAI with `saliency` (PAIR), which computes them in Python on the same SavedModel.

pip install saliency==0.2.1 scikit-image scipy, then in serving/:
python -m training.tests.against_saliency VERSION PHOTO...

VERSION has saved_model.pb. Its explain.onnx is compared too, if it is there. Needs node in PATH.
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
from training.explain import EXPLAIN, TRAPEZOID, explain_signature
from training.served import Call, Tensors, onnx_call, onnx_file, tensorflow_call
from training.settings import INPUT, OUTPUT, SIGNATURE

Array = npt.NDArray[Any]
STEPS = 50
# As many points as the signature computes at once: rounding depends on it.
BATCH = 3
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
        return method.GetMask(image, call, target, x_baseline=baseline, x_steps=points, batch_size=BATCH)

    return (steps * mean(steps) - mean(2)) / (steps - 1)


def ranks(pixels: Array, attributions: Array) -> Array:
    """The gateway's rank of each pixel's region."""
    height, width = attributions.shape
    given = pixels.astype(np.float32).tobytes() + attributions.astype(np.float32).tobytes()
    made = subprocess.run(["node", str(XRAI), str(height), str(width)], input=given, capture_output=True, check=True)
    return np.frombuffer(made.stdout, np.uint16).reshape(height, width)


def explained(version: Path) -> dict[str, Call]:
    """The signature by format. A SavedModel without it gets it here, on the same graph."""
    loaded = tf.saved_model.load(str(version))
    function = loaded.signatures.get(EXPLAIN)
    if function is None:
        (spec,) = loaded.signatures[SIGNATURE].structured_input_signature[1].values()
        scores = loaded.signatures[SIGNATURE]
        explain, given = explain_signature(lambda images: scores(**{INPUT: images[0]})[OUTPUT], [spec], OUTPUT)
        made = tf.function(explain, input_signature=given)

        def function(**tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            return made(*(tensors[spec.name] for spec in given))

    def call(tensors: Tensors, keep: object = loaded) -> Tensors:
        answer = function(**{name: tf.constant(values) for name, values in tensors.items()})
        return {name: values.numpy() for name, values in answer.items()}

    calls: dict[str, Call] = {"SavedModel": call}
    if onnx_file(version, EXPLAIN).exists():
        calls["ONNX"] = onnx_call(version, EXPLAIN)
    return calls


def compare(version: Path, photos: list[Path]) -> None:
    """Prints the differences for each photo."""
    call, ours, served = gradients_of(version), explained(version), tensorflow_call(version)
    for photo in photos:
        pixels = read_pixels(photo)
        image = normalise(pixels[np.newaxis])
        target = int(served({INPUT: image})[OUTPUT][0].argmax())
        attributions = []
        for colour in (-1, 1):
            baseline = np.full_like(image, colour)
            request: Tensors = {INPUT: image, f"baseline_{INPUT}": baseline, "target": np.array([target])}
            request |= {"steps": np.array([STEPS]), "quadrature": np.array([TRAPEZOID], object)}
            theirs = trapezoid(call, image[0], baseline[0], target, STEPS)
            found = {kind: each(request)[f"attributions_{INPUT}"][0] for kind, each in ours.items()}
            for kind, values in found.items():
                print(f"{photo.name} from {colour}, {kind}: differs by {np.abs(values - theirs).max():.1e}", flush=True)
            attributions.append(found["SavedModel"])
        base = np.mean(attributions, 0)
        regions = saliency.XRAI().GetMask(pixels.astype(np.float32) / 127.5 - 1, call, base_attribution=base)
        own = ranks(pixels, base.max(-1))
        print(
            f"{photo.name} XRAI: rank correlation {spearmanr(own.ravel(), -regions.ravel()).statistic:.3f}", flush=True
        )


if __name__ == "__main__":
    compare(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
