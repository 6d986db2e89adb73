"""Trains the trunk to the end of its schedule, from random or pretrained weights or from a checkpoint."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from .data import Photos, data_sha256, load_pooled
from .history import Row, read_history
from .precision import device_policy
from .schedule import finished, with_epochs
from .settings import SIDE, Settings, pooled_side
from .shrink import network_input
from .split import split_photos
from .trainer import Trainer
from .work import TENSORBOARD, claim_work, open_work

# Photos at a time when measuring: outside of tf.function, Keras keeps the outputs of all layers until the last one.
MEASURED = 16


def measure(model: keras.Model, photos: Photos, side: int) -> tuple[float, float]:
    """Returns accuracy and mean cross-entropy, with an input of side x side."""
    starts = range(0, len(photos.labels), MEASURED)
    batches = (photos.pixels[start : start + MEASURED] for start in starts)
    logits = np.concatenate([model(network_input(pixels, side), training=False) for pixels in batches])
    losses = keras.losses.sparse_categorical_crossentropy(photos.labels, logits, from_logits=True)
    return round(float((logits.argmax(1) == photos.labels).mean()), 4), round(float(np.mean(losses)), 5)


def _report(row: Row, writer: tf.summary.SummaryWriter) -> None:
    print(" ".join(f"{key}={value:.4g}" for key, value in row.items()), flush=True)
    with writer.as_default(step=int(row["epoch"])):
        for name, value in row.items():
            tf.summary.scalar(name, value)
    writer.flush()


def train(data: Path, work: Path, settings: Settings, on_epoch: Callable[[Row], None] = lambda row: None) -> list[Row]:
    """Trains to the end of the schedule and returns the history. The same call resumes an interrupted run.

    Writes best.weights.h5, history.json, checkpoints and TensorBoard logs to the work folder. `on_epoch` is called
    after each epoch and may raise to stop. Raises ValueError if the folder has another, unfinished run.
    """
    keras.utils.set_random_seed(settings.seed)
    split, policy = split_photos(data, settings.split), device_policy()
    fingerprint, settings = data_sha256(split.photos), with_epochs(settings, len(split.train))
    open_work(work, settings, fingerprint)
    claim_work(work, settings, fingerprint)
    seen = settings.side if settings.shrink == "pool" else SIDE
    validation = load_pooled(split.validation, split.classes, settings.pool, seen)
    photos = load_pooled(split.train, split.classes, settings.pool, pooled_side(settings.pool))
    trainer = Trainer(settings, photos, work, policy)
    trainer.begin()
    done, written = len(trainer.history), len(read_history(work))
    print(f"{settings.architecture} with {policy}: {len(split.train)} photos, {done} epochs done", flush=True)
    writer = tf.summary.create_file_writer(str(work / TENSORBOARD))
    if done > written:
        # The run was killed after the checkpoint was saved and before the other files were written.
        trainer.write_files()
        _report(trainer.history[-1], writer)
        on_epoch(trainer.history[-1])
    while not finished(settings, trainer.history):
        row = trainer.run_epoch()
        row["accuracy"], row["validation_loss"] = measure(trainer.average, validation, settings.side)
        trainer.keep(row)
        _report(row, writer)
        on_epoch(row)
    return trainer.history
