"""The schedule, data augmentation, and short runs: repeated, killed and resumed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.augment import augment, cutmix, mixup
from training.data import load_pooled
from training.history import HISTORY, Row
from training.precision import device_policy
from training.schedule import EPOCHS, STEPS, finished, learning_rate, side_at, with_epochs
from training.settings import Settings, settings_for
from training.split import split_photos
from training.train import measure, train
from training.trainer import Trainer, class_weights
from training.work import BEST, TENSORBOARD
from training.xception import BASE, head_variables

from .checkpoints import random_state, write_checkpoint
from .conftest import CLASSES

# Three steps per epoch.
SMALL: dict[str, Any] = {"epochs": 3, "batch": 10, "width": 0.25, "sides": ((1.0, 40),)}


def test_learning_rate_warms_up_and_ends_at_zero() -> None:
    """The peak is after the warm-up. The rate is zero at the end and later."""
    settings = Settings(learning_rate=1, warm_up=0.1)
    assert learning_rate(settings, 0) == pytest.approx(0.01)
    assert learning_rate(settings, 0.1) == pytest.approx(1)
    assert learning_rate(settings, 0.55) == pytest.approx(0.5)
    assert learning_rate(settings, 1) == learning_rate(settings, 1.2) == pytest.approx(0)


def test_learning_rate_has_two_cycles_with_a_frozen_phase() -> None:
    """One for the head, and a lower one for the whole network."""
    settings = Settings(learning_rate=1, fine_tuning_rate=0.01, warm_up=0.1, frozen=0.5)
    assert [learning_rate(settings, share) for share in (0.05, 0.275, 0.55, 0.775, 1)] == pytest.approx(
        [1, 0.5, 0.01, 0.005, 0]
    )


def test_picture_size_grows() -> None:
    """It reaches the full side at the end."""
    assert [side_at(Settings(), share) for share in (0, 0.5, 0.9, 1)] == [72, 88, 99, 99]
    assert [side_at(Settings(pool=2), share) for share in (0, 0.5, 0.9, 1)] == [112, 128, 144, 144]


def _rows(*accuracies: float) -> list[Row]:
    return [
        {"epoch": epoch, "seconds": 60.0 * epoch, "accuracy": accuracy, "validation_loss": 1.0}
        for epoch, accuracy in enumerate(accuracies, 1)
    ]


def test_a_run_ends_by_epochs_or_patience() -> None:
    """Three epochs after the best one, or after five epochs."""
    settings = Settings(epochs=5, patience=3)
    assert [finished(settings, _rows(*a)) for a in ([], [0.5, 0.4, 0.5], [0.1, 0.5, 0.4, 0.5])] == [False] * 3
    assert finished(settings, _rows(0.5, 0.4, 0.5, 0.3))
    assert finished(settings, _rows(0.1, 0.2, 0.3, 0.4, 0.5))


def test_a_run_with_max_minutes_ignores_patience() -> None:
    """It ends only when the time is over."""
    settings = Settings(max_minutes=6, patience=3)
    assert not finished(settings, _rows(*[0.5] * 5))
    assert finished(settings, _rows(*[0.5] * 6))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pool": 4}, "pool 4"),
        ({"architecture": "resnet"}, "must be one of xception-small, xception"),
        ({"split": "half"}, "split 'half'"),
        ({"pool": 3, "sides": ((1.0, 144),)}, "99 wide"),
        ({"architecture": "efficientnet-lite0", "pool": 2}, "pool 2: photos that are resized bilinearly"),
        ({"shrink": "crop"}, "shrink 'crop': must be one of pool, bilinear"),
        ({"stored": "float8"}, "stored 'float8': must be one of float32, float16"),
    ],
)
def test_invalid_settings_are_refused(wrong: dict[str, Any], message: str) -> None:
    """The error has name and value."""
    with pytest.raises(ValueError, match=message):
        settings_for(**wrong)


def test_few_photos_get_more_epochs() -> None:
    """Enough steps to train on 200 photos, five epochs of many. A given number is kept."""
    settings = settings_for("efficientnet-lite2")
    assert with_epochs(settings, 3000).epochs == with_epochs(settings, 30_000).epochs == EPOCHS
    assert STEPS <= with_epochs(settings, 200).epochs * (200 // settings.batch) <= STEPS + 200 // settings.batch
    assert with_epochs(settings_for("efficientnet-lite2", epochs=2), 200).epochs == 2
    assert with_epochs(Settings(), 200) == Settings()


def test_rare_classes_have_larger_weights() -> None:
    """The mean over the photos is one, so the learning rate keeps its meaning."""
    labels = np.repeat(np.arange(10), [1] * 9 + [100])
    weights = class_weights(labels, CLASSES)
    assert weights[0] / weights[9] == pytest.approx(10)
    assert weights[labels].mean() == pytest.approx(1)


def test_a_class_without_photos_is_named() -> None:
    """Its weight would be infinite."""
    with pytest.raises(ValueError, match="no photos of hat"):
        class_weights(np.array([0, 2, 3, 4, 5, 6, 7, 8, 9]), CLASSES)


def test_a_batch_larger_than_the_data_set_is_refused(drawn: Path, tmp_path: Path) -> None:
    """An epoch would have no steps."""
    with pytest.raises(ValueError, match="batch 32: only 30 photos"):
        train(drawn, tmp_path, Settings())


def test_augmentation_is_reproducible_and_within_range() -> None:
    """A resumed run must see the same pictures as an uninterrupted one."""
    images = tf.random.stateless_uniform([4, 99, 99, 3], [1, 2], -1, 1)
    first, again, other = (augment(images, 72, tf.constant([5, step])) for step in (1, 1, 2))
    assert first.shape == (4, 72, 72, 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.abs(first).max() <= 1


def test_reach_0_only_flips() -> None:
    """Flips do not depend on `reach`."""
    images = tf.random.stateless_uniform([8, 40, 40, 3], [1, 2], -0.9, 0.9)
    views = augment(images, 40, tf.constant([5, 1]), reach=0.0)
    same, mirrored = (np.abs(views - other).max(axis=(1, 2, 3)) < 1e-3 for other in (images, images[:, :, ::-1]))
    assert (same ^ mirrored).all() and same.any() and mirrored.any()


def test_cutmix_blends_targets_by_the_pasted_area() -> None:
    """The box contains only pixels of the other picture."""
    images = tf.ones([4, 40, 40, 3]) * tf.reshape([0.0, 0.25, 0.75, 1.0], [4, 1, 1, 1])
    areas = []
    for step in range(20):
        mixed, targets = cutmix(images, tf.one_hot([0, 1, 2, 3], 10), tf.constant([1, step]))
        pasted = mixed[0, :, :, 0].numpy() == 1
        assert set(np.unique(mixed[0])) <= {0, 1}
        assert pasted.sum() == pasted.any(1).sum() * pasted.any(0).sum()
        np.testing.assert_allclose([targets[0, 0], targets[0, 3]], [1 - pasted.mean(), pasted.mean()], atol=1e-6)
        areas.append(pasted.mean())
    assert min(areas) < 0.2 and max(areas) > 0.6


def test_mixup_0_blends_nothing(drawn: Path, tmp_path: Path) -> None:
    """Neither by mixup nor by CutMix."""
    photos = load_pooled(split_photos(drawn).train, CLASSES, 3, 99)
    trainer = Trainer(Settings(**SMALL, mixup=0), photos, tmp_path, "float32")
    images = tf.random.stateless_uniform([4, 40, 40, 3], [1, 2])
    for step in (0, 1):
        blended, targets = trainer._blend(images, tf.constant([0, 1, 2, 3]), tf.constant([1, step]))
        assert np.array_equal(blended, images) and np.array_equal(targets, np.eye(4, 10))


def test_mixup_targets_sum_to_one() -> None:
    """This holds for any mixing share."""
    targets = tf.one_hot([0, 1, 2, 3], 10)
    _, mixed = mixup(tf.zeros([4, 8, 8, 3]), targets, 0.2, tf.constant([1, 1]))
    np.testing.assert_allclose(tf.reduce_sum(mixed, 1), 1, rtol=1e-5)


def _weights(work: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(work / BEST) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def _without_clock(rows: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """The work folder and the history of an uninterrupted run."""
    work = tmp_path_factory.mktemp("whole")
    reported: list[Row] = []
    history = train(drawn, work, Settings(**SMALL), reported.append)
    assert reported == history
    return work, history


# Trains normally, but kills itself with SIGKILL before the second step of the second epoch, without any cleanup.
KILLED = """
import os, signal, sys
from pathlib import Path
import training.trainer as module
from training.settings import Settings
from training.train import measure, train
shares, rate = [], module.learning_rate
def rate_or_kill(settings, share):
    shares.append(share)
    if share > 1 / settings.epochs and len(shares) > 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return rate(settings, share)
module.learning_rate = rate_or_kill
train(Path(sys.argv[1]), Path(sys.argv[2]), Settings(**eval(sys.argv[3])))
"""


def test_a_killed_run_resumes_bit_for_bit(drawn: Path, whole: tuple[Path, list[Row]], tmp_path: Path) -> None:
    """This includes dropout, averages and AdamW's moments, on a CPU with the same number of threads."""
    command = [sys.executable, "-B", "-c", KILLED, str(drawn), str(tmp_path), repr(SMALL)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.count("epoch=") == 1
    # As if the kill had happened between saving the checkpoint and writing these files.
    (tmp_path / BEST).unlink()
    (tmp_path / HISTORY).unlink()
    reported: list[Row] = []
    history = train(drawn, tmp_path, Settings(**SMALL), reported.append)
    assert reported == history
    work, uninterrupted = whole
    assert _without_clock(history) == _without_clock(uninterrupted)
    resumed, wanted = _weights(tmp_path), _weights(work)
    assert wanted.keys() == resumed.keys() and len(wanted) > 100
    assert all(np.array_equal(resumed[name], wanted[name]) for name in wanted)


def test_a_finished_run_is_not_trained_again(drawn: Path, whole: tuple[Path, list[Row]]) -> None:
    """No epoch is reported twice."""
    work, history = whole
    reported: list[Row] = []
    assert train(drawn, work, Settings(**SMALL), reported.append) == history
    assert reported == []


def test_tensorboard_shows_each_epoch(whole: tuple[Path, list[Row]]) -> None:
    """It has loss, accuracy, learning rate and side."""
    work, history = whole
    logs = EventAccumulator(str(work / TENSORBOARD), size_guidance={"tensors": 0}).Reload()
    for name in ("loss", "accuracy", "learning_rate", "side"):
        events = logs.Tensors(name)
        assert [event.step for event in events] == [1, 2, 3]
        values = [float(tf.make_ndarray(event.tensor_proto)) for event in events]
        assert values == pytest.approx([row[name] for row in history], rel=1e-6)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Runs without tf.function: tracing the graph takes longer than one step."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.usefixtures("eagerly")
def test_half_precision_keeps_weights_and_statistics_in_float32(drawn: Path, tmp_path: Path) -> None:
    """Runs one step with the policy of a GPU with tensor cores, on the CPU."""
    assert device_policy() == ("mixed_float16" if tf.config.list_physical_devices("GPU") else "float32")
    photos = load_pooled(split_photos(drawn).train, CLASSES, 3, 99)
    trainer = Trainer(Settings(**SMALL), photos, tmp_path, "mixed_float16")
    trainer.begin()
    before = [weight.numpy() for weight in trainer.trunk.trainable_variables]
    trainer.optimizer.learning_rate = 1e-3
    loss = trainer.step(photos.pixels[:10], photos.labels[:10], tf.constant(0), 40, False)
    assert trainer.trunk.layers[1].compute_dtype == "float16"
    assert trainer.trunk(tf.zeros([1, 40, 40, 3])).dtype == tf.float32
    assert {weight.dtype for weight in trainer.trunk.weights} == {"float32"}
    assert np.isfinite(loss)
    changed = [not np.array_equal(a, b) for a, b in zip(before, trainer.trunk.trainable_variables, strict=True)]
    assert sum(changed) > len(changed) / 2


@pytest.mark.usefixtures("eagerly")
def test_xception_trains_its_head_first(drawn: Path, tmp_path: Path) -> None:
    """Then everything except batch normalisation, which keeps ImageNet's statistics."""
    photos = load_pooled(split_photos(drawn).train[::3], CLASSES, 1, 299)
    trainer = Trainer(settings_for("xception", weights=None, batch=2), photos, tmp_path, "float32")
    trainer.begin()
    base = trainer.trunk.get_layer(BASE)

    def changed_by(frozen: bool) -> tuple[bool, bool, bool]:
        groups = (head_variables(trainer.trunk), base.trainable_variables, base.non_trainable_variables)
        before = [[variable.numpy() for variable in group] for group in groups]
        trainer.optimizer.learning_rate = 1e-3
        trainer.step(photos.pixels[:2], photos.labels[:2], tf.constant(0), 71, frozen)
        head, trained, kept = (
            any(not np.array_equal(old, new) for old, new in zip(olds, group, strict=True))
            for olds, group in zip(before, groups, strict=True)
        )
        return head, trained, kept

    assert changed_by(frozen=True) == (True, False, False)
    assert changed_by(frozen=False) == (True, True, False)


@pytest.mark.usefixtures("eagerly")
def test_efficientnet_starts_from_a_checkpoint_and_its_own_head(drawn: Path, tmp_path: Path) -> None:
    """A step changes every layer. A resumed run does not start again."""
    write_checkpoint(tmp_path / "lite0.pth", random_state("efficientnet-lite0"))
    given = {"weights": str(tmp_path / "lite0.pth"), "batch": 10, "sides": ((1.0, 64),)}
    settings = settings_for("efficientnet-lite0", **given)
    photos = load_pooled(split_photos(drawn).train, CLASSES, 1, 299)
    trainer = Trainer(settings, photos, tmp_path, "float32")
    trainer.begin()
    begun = measure(trainer.trunk, photos, 64)[0]
    before = trainer.trunk.get_weights()
    trainer.optimizer.learning_rate = 1e-4
    trainer.step(photos.pixels[:10], photos.labels[:10], tf.constant(0), 64, False)
    changed = [not np.array_equal(a, b) for a, b in zip(before, trainer.trunk.get_weights(), strict=True)]
    assert begun > 0.8 and all(changed)
    trainer.keep({"epoch": 1, "share": 0.2, "accuracy": begun, "validation_loss": 1.0, "seconds": 1.0})
    resumed = Trainer(settings, photos, tmp_path, "float32")
    resumed.begin()
    same = zip(resumed.trunk.get_weights(), trainer.trunk.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in same) and len(resumed.history) == 1
