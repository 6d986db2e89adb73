"""The state and steps of a run: AdamW with mixup and CutMix, a moving average of the weights, the best average."""

import json
import math
import time
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from .atomic import replacing
from .augment import augment, cutmix, mixup
from .data import Photos, epoch_batches
from .head_start import start_head
from .history import HISTORY, Row, quality
from .json_file import write_json
from .model import build_trunk, load_start, starts_pretrained
from .precision import precision
from .schedule import learning_rate, share_of, side_at
from .settings import Settings
from .shrink import to_float
from .work import BEST, CHECKPOINTS
from .xception import head_variables


def class_weights(labels: npt.NDArray[np.int32], classes: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Weights by the inverse square root of class frequency. A full correction would weight 112 skirts too much.

    Raises ValueError for a class without photos.
    """
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        raise ValueError(f"train: no photos of {classes[counts.argmin()]}")
    weights = 1 / np.sqrt(counts)
    return (weights / weights[labels].mean()).astype(np.float32)


def _optimizer(settings: Settings, policy: str) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    # Small gradients would underflow in half precision.
    return keras.optimizers.LossScaleOptimizer(optimizer) if policy == "mixed_float16" else optimizer


class DivergedError(ValueError):
    """The loss is NaN or infinite."""


class Trainer:
    """The state of a run: weights, their moving average, the best average, the optimiser and the history."""

    def __init__(self, settings: Settings, train: Photos, work: Path, policy: str) -> None:
        if len(train.labels) < settings.batch:
            raise ValueError(f"batch {settings.batch}: only {len(train.labels)} photos to train on")
        self.settings, self.train, self.work = settings, train, work
        self.history: list[Row] = []
        with precision(policy):
            self.trunk = build_trunk(settings, len(train.classes))
            self.average, self.best = (keras.models.clone_model(self.trunk) for _ in range(2))
        self.optimizer = _optimizer(settings, policy)
        self.optimizer.build(self.trunk.trainable_variables)
        self.weights = tf.constant(class_weights(train.labels, train.classes))
        self.kept = tf.Variable("[]", dtype=tf.string)
        models = (*self.trunk.variables, *self.average.variables, *self.best.variables)
        # Save all variables by position. This includes dropout's random seeds, which Keras' layers do not track.
        everything = [variable.value for variable in (*models, *self.optimizer.variables)]
        checkpoint = tf.train.Checkpoint(variables=everything, history=self.kept)
        self.manager = tf.train.CheckpointManager(checkpoint, str(work / CHECKPOINTS), max_to_keep=1)
        self.step = tf.function(self._step)

    def begin(self) -> None:
        """Resumes after the last finished epoch, or starts from the given or random weights."""
        if self.manager.latest_checkpoint:
            self.manager.checkpoint.restore(self.manager.latest_checkpoint).assert_consumed()
            self.history = json.loads(self.kept.numpy())
        else:
            load_start(self.trunk, self.settings)
            if starts_pretrained(self.settings):
                smoothing = self.settings.label_smoothing
                start_head(self.trunk, self.train, self.settings.side, self.weights, smoothing)
            self.average.set_weights(self.trunk.get_weights())

    def _blend(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Applies mixup in even steps and CutMix in odd ones, or neither if mixup is 0."""
        targets, even = tf.one_hot(labels, len(self.train.classes)), seed[1] % 2 == 0
        if self.settings.mixup == 0:
            return images, targets
        mixed: tuple[tf.Tensor, tf.Tensor] = tf.cond(
            even, lambda: mixup(images, targets, self.settings.mixup, seed), lambda: cutmix(images, targets, seed)
        )
        return mixed

    def _step(self, pixels: tf.Tensor, labels: tf.Tensor, number: tf.Tensor, side: int, frozen: bool) -> tf.Tensor:
        settings = self.settings
        seed = tf.stack([tf.constant(settings.seed, tf.int32), number])
        images = augment(to_float(pixels), side, seed, settings.augmentation)
        images, targets = self._blend(images, labels, seed)
        weight = tf.linalg.matvec(targets, self.weights)
        variables = head_variables(self.trunk) if frozen else self.trunk.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.trunk(images, training=True)
            losses = keras.losses.categorical_crossentropy(
                targets, logits, from_logits=True, label_smoothing=settings.label_smoothing
            )
            loss = tf.reduce_mean(losses * weight)
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        self._update_average(tf.cast(number, tf.float32))
        return loss

    def _update_average(self, number: tf.Tensor) -> None:
        # Use a smaller decay in the first steps, otherwise the random initial weights persist for epochs.
        decay = tf.minimum(self.settings.ema_decay, (1 + number) / (10 + number))
        for slow, fast in zip(self.average.weights, self.trunk.weights, strict=True):
            slow.assign(decay * slow + (1 - decay) * fast)

    def run_epoch(self) -> Row:
        """One pass over the shuffled training photos. Returns the row of the history without validation metrics."""
        settings, epoch, steps = self.settings, len(self.history), len(self.train.labels) // self.settings.batch
        before, start = self.history[-1]["seconds"] if self.history else 0.0, time.monotonic()
        frozen = share_of(settings, epoch, before) < settings.frozen
        losses, share = [], 0.0
        batches = epoch_batches(self.train, settings.batch, settings.seed, epoch)
        bar = tqdm(batches, f"epoch {epoch + 1}", steps, leave=False, disable=None, unit="step")
        for step, (pixels, labels) in enumerate(bar):
            share = share_of(settings, epoch + step / steps, before + time.monotonic() - start)
            self.optimizer.learning_rate = learning_rate(settings, share)
            number = tf.constant(epoch * steps + step, tf.int32)
            losses.append(self.step(pixels, labels, number, side_at(settings, share), frozen))
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            raise DivergedError(f"epoch {epoch + 1}: the loss is NaN or infinite; lower the learning rate")
        return {
            "epoch": epoch + 1,
            "share": round(share, 3),
            "side": side_at(settings, share),
            "learning_rate": round(learning_rate(settings, share), 8),
            "loss": round(loss, 5),
            "seconds": round(before + time.monotonic() - start, 2),
        }

    def keep(self, row: Row) -> None:
        """Adds an epoch to the history and saves the checkpoint, then the files that can be restored from it."""
        if all(quality(row) > quality(old) for old in self.history):
            self.best.set_weights(self.average.get_weights())
        self.history.append(row)
        self.kept.assign(json.dumps(self.history))
        self.manager.save()
        self.write_files()

    def write_files(self) -> None:
        """Writes the best weights and the history to files."""
        with replacing(self.work / BEST) as unfinished:
            self.best.save_weights(unfinished)
        write_json(self.work / HISTORY, self.history)
