"""The baseline of a model of pictures: the pictures of a data set, and what the model answers to them."""

from pathlib import Path

import numpy as np
from PIL import Image

from .baseline import Feature, category, number, write_baseline
from .calibrate import Array, softmax
from .data import Photo, read_pixels, tensors
from .outliers import energies_of, outliers_of
from .served import tensorflow_scores
from .statistics import statistics_of


def answer_features(probabilities: Array, classes: tuple[str, ...]) -> dict[str, Feature]:
    """Of probabilities [n, classes]: the best class, its probability, and the entropy as a share of the most."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    entropy = -(probabilities * logs).sum(1) / np.log(len(classes))
    best = [classes[index] for index in probabilities.argmax(1)]
    return {
        "class": category(best, known=classes),
        "score": number(probabilities.max(1)),
        "entropy": number(entropy),
    }


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def picture_values(paths: list[Path]) -> dict[str, Array]:
    """Statistics of the pixels that the model gets, and the sizes of the files."""
    brightness, contrast, sharpness = zip(*(statistics_of(read_pixels(path)) for path in paths), strict=True)
    widths, heights = np.array([_size(path) for path in paths]).T
    return {
        "brightness": np.array(brightness),
        "contrast": np.array(contrast),
        "sharpness": np.array(sharpness),
        "pixels": widths * heights,
        "aspect": widths / heights,
    }


def write_picture_baseline(
    model_folder: Path, version: Path, name: str, photos: list[Photo], classes: tuple[str, ...]
) -> None:
    """Writes the baseline of a version, whose folder is in `model_folder`, of photos that it was not trained on."""
    scores = tensorflow_scores(version)
    logits = np.concatenate([scores(batch) for batch in tensors(photos)]).astype(np.float64)
    values = picture_values([photo.path for photo in photos])
    features = {
        **answer_features(softmax(logits), classes),
        **{feature: number(column) for feature, column in values.items()},
    }
    outliers = outliers_of(features, values, energies_of(logits))
    number_of = int(version.name)
    write_baseline(model_folder, number_of, len(photos), features, "test photos", outliers=outliers, name=name)
