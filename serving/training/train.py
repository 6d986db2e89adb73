"""Trains the trunk: AdamW, warm-up and cosine, mixup, a running average of the weights, best validation kept."""

import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from .augment import augment, mixup
from .data import Photos, load_pooled
from .model import build_trunk
from .schedule import learning_rate, side_at
from .settings import CLASSES, Settings

BEST = "best.weights.h5"
HISTORY = "history.json"
Row = dict[str, float]


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Rare classes count more, by the square root only: a full correction would trust 112 skirts too much."""
    weights = 1 / np.sqrt(np.bincount(labels, minlength=len(CLASSES)))
    return (weights / weights[labels].mean()).astype(np.float32)


def to_float(pixels: tf.Tensor) -> tf.Tensor:
    """Bytes to the network's range."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1


class Trainer:
    """The state of a run: weights, their average, the optimiser, and where the schedule stands."""

    def __init__(self, settings: Settings, train: Photos, work: Path) -> None:
        self.settings, self.train, self.work = settings, train, work
        self.trunk = build_trunk()
        self.average = keras.models.clone_model(self.trunk)
        self.average.set_weights(self.trunk.get_weights())
        self.optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=5.0
        )
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(self.trunk.trainable_variables)
        self.weights = tf.constant(class_weights(train.labels))
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)
        checkpoint = tf.train.Checkpoint(
            trunk=self.trunk, average=self.average, optimizer=self.optimizer, epoch=self.epoch, seconds=self.seconds
        )
        self.manager = tf.train.CheckpointManager(checkpoint, str(work / "checkpoints"), max_to_keep=1)
        self.step = tf.function(self._step)

    def _step(self, pixels: tf.Tensor, labels: tf.Tensor, number: tf.Tensor, side: int) -> tf.Tensor:
        settings = self.settings
        seed = tf.stack([tf.constant(settings.seed, tf.int32), number])
        images = augment(to_float(pixels), side, seed)
        targets = tf.one_hot(labels, len(CLASSES))
        images, targets = mixup(images, targets, settings.mixup, seed)
        weight = tf.linalg.matvec(targets, self.weights)
        with tf.GradientTape() as tape:
            logits = self.trunk(images, training=True)
            losses = keras.losses.categorical_crossentropy(
                targets, logits, from_logits=True, label_smoothing=settings.label_smoothing
            )
            loss = tf.reduce_mean(losses * weight)
        variables = self.trunk.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        number = tf.cast(number, tf.float32)
        # Early on the average follows closely, or it would remember the random start for epochs.
        decay = tf.minimum(settings.ema_decay, (1 + number) / (10 + number))
        for slow, fast in zip(self.average.weights, self.trunk.weights, strict=True):
            slow.assign(decay * slow + (1 - decay) * fast)
        return loss

    def share(self, epoch_share: float, seconds: float) -> float:
        """How much of the schedule has passed: by the clock if minutes are given, else by epochs."""
        if self.settings.max_minutes is not None:
            return min(1.0, seconds / (60 * self.settings.max_minutes))
        return (int(self.epoch) + epoch_share) / self.settings.epochs

    def run_epoch(self) -> Row:
        """One pass over the training photos in an order drawn from the seed and the epoch."""
        epoch, batch = int(self.epoch), self.settings.batch
        order = np.random.default_rng([self.settings.seed, epoch]).permutation(len(self.train.labels))
        steps = len(order) // batch
        before, start, losses, share = float(self.seconds), time.monotonic(), [], 0.0
        for step in range(steps):
            share = self.share(step / steps, before + time.monotonic() - start)
            self.optimizer.learning_rate = learning_rate(self.settings, share)
            chosen = order[step * batch : (step + 1) * batch]
            number = tf.constant(epoch * steps + step, tf.int32)
            pixels, labels = self.train.pixels[chosen], self.train.labels[chosen]
            losses.append(self.step(pixels, labels, number, side_at(self.settings, share)))
        self.epoch.assign(epoch + 1)
        self.seconds.assign(before + time.monotonic() - start)
        loss, seconds = float(np.mean(losses)), float(self.seconds)
        return {"epoch": epoch + 1, "share": round(share, 3), "loss": loss, "seconds": seconds}


def measure(model: keras.Model, photos: Photos) -> tuple[float, float]:
    """Accuracy and mean cross-entropy."""
    starts = range(0, len(photos.labels), 64)
    logits = np.concatenate([model(to_float(photos.pixels[start : start + 64]), training=False) for start in starts])
    losses = keras.losses.sparse_categorical_crossentropy(photos.labels, logits, from_logits=True)
    return float((logits.argmax(1) == photos.labels).mean()), float(np.mean(losses))


def quality(row: Row) -> tuple[float, float]:
    """What makes an epoch better than another: validation accuracy, then validation loss."""
    return row["accuracy"], -row["validation_loss"]


def train(data: Path, work: Path, settings: Settings, resume: bool = False) -> list[Row]:
    """Trains to the end of the schedule; leaves best.weights.h5 and history.json in the work folder."""
    keras.utils.set_random_seed(settings.seed)
    work.mkdir(parents=True, exist_ok=True)
    validation = load_pooled(data, "validation")
    trainer = Trainer(settings, load_pooled(data, "train"), work)
    history: list[Row] = []
    if resume and trainer.manager.restore_or_initialize():
        history = json.loads((work / HISTORY).read_text())[: int(trainer.epoch)]
    while trainer.share(0, float(trainer.seconds)) < 1:
        row = trainer.run_epoch()
        row["accuracy"], row["validation_loss"] = measure(trainer.average, validation)
        if all(quality(row) > quality(old) for old in history):
            trainer.average.save_weights(work / BEST)
        history.append(row)
        (work / HISTORY).write_text(json.dumps(history, indent=1) + "\n")
        trainer.manager.save()
        print(" ".join(f"{key}={value:.4g}" for key, value in row.items()), flush=True)
    return history
