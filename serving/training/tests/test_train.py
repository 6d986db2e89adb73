"""The schedule, the random views and a whole short run."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from training.augment import augment, mixup
from training.schedule import learning_rate, side_at
from training.settings import CLASSES, Settings
from training.train import BEST, class_weights, train


def test_rate_warms_up_and_ends_at_nothing() -> None:
    """Peak after the warm-up, zero at the end and past it."""
    settings = Settings(learning_rate=1, warm_up=0.1)
    assert learning_rate(settings, 0) == pytest.approx(0.01)
    assert learning_rate(settings, 0.1) == pytest.approx(1)
    assert learning_rate(settings, 0.55) == pytest.approx(0.5)
    assert learning_rate(settings, 1) == learning_rate(settings, 1.2) == pytest.approx(0)


def test_pictures_grow() -> None:
    """And are whole when the schedule ends."""
    assert [side_at(Settings(), share) for share in (0, 0.5, 0.9, 1)] == [72, 88, 99, 99]


def test_rare_classes_count_more() -> None:
    """With a mean of one over the photos, so that the rate means the same."""
    labels = np.repeat(np.arange(10), [1] * 9 + [100])
    weights = class_weights(labels)
    assert weights[0] / weights[9] == pytest.approx(10)
    assert weights[labels].mean() == pytest.approx(1)


def test_views_repeat_with_the_seed_and_stay_in_range() -> None:
    """A resumed run has to see what the whole one would have seen."""
    images = tf.random.stateless_uniform([4, 99, 99, 3], [1, 2], -1, 1)
    first, again, other = (augment(images, 72, tf.constant([5, step])) for step in (1, 1, 2))
    assert first.shape == (4, 72, 72, 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.abs(first).max() <= 1


def test_mixup_keeps_targets_a_distribution() -> None:
    """Whatever the share."""
    targets = tf.one_hot([0, 1, 2, 3], 10)
    _, mixed = mixup(tf.zeros([4, 8, 8, 3]), targets, 0.2, tf.constant([1, 1]))
    np.testing.assert_allclose(tf.reduce_sum(mixed, 1), 1, rtol=1e-5)


def test_run_leaves_weights_and_resumes(tmp_path: Path) -> None:
    """One epoch, then one more of two."""
    for split in ("train", "validation"):
        for number, name in enumerate(CLASSES):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            Image.new("RGB", (40, 60), (25 * number, 0, 0)).save(folder / "a.png")
    small = {"batch": 5, "sides": ((1.0, 40),)}
    assert len(train(tmp_path, tmp_path / "work", Settings(epochs=1, **small))) == 1
    rows = train(tmp_path, tmp_path / "work", Settings(epochs=2, **small), resume=True)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert (tmp_path / "work" / BEST).exists()
