"""The learning rate and the picture size at each point of a run."""

import math
from dataclasses import replace

from .history import Row, best_row
from .settings import Settings

# Fine-tuning of pretrained weights: so many epochs, and more for few photos, so that there are enough steps.
EPOCHS, STEPS = 5, 120


def with_epochs(settings: Settings, photos: int) -> Settings:
    """The settings with the number of epochs that this number of training photos needs, unless they have one."""
    steps = max(1, photos // settings.batch)
    return settings if settings.epochs else replace(settings, epochs=max(EPOCHS, math.ceil(STEPS / steps)))


def _rise_and_fall(settings: Settings, share: float) -> float:
    """Linear warm-up to 1, then cosine decay to zero."""
    if share < settings.warm_up:
        return share / settings.warm_up + 0.01
    rest = min(1.0, (share - settings.warm_up) / (1 - settings.warm_up))
    return 0.5 * (1 + math.cos(math.pi * rest))


def learning_rate(settings: Settings, share: float) -> float:
    """The learning rate at `share` (0 to 1) of the schedule. With `frozen`, the frozen share has its own cycle."""
    if share < settings.frozen:
        return settings.learning_rate * _rise_and_fall(settings, share / settings.frozen)
    peak = settings.fine_tuning_rate if settings.frozen else settings.learning_rate
    return peak * _rise_and_fall(settings, (share - settings.frozen) / (1 - settings.frozen))


def side_at(settings: Settings, share: float) -> int:
    """The side of the training pictures at `share` of the schedule."""
    return next((side for until, side in settings.sides if share < until), settings.sides[-1][1])


def share_of(settings: Settings, epochs: float, seconds: float) -> float:
    """The completed share of the schedule: by time if max_minutes is set, otherwise by epochs."""
    if settings.max_minutes is not None:
        return min(1.0, seconds / (60 * settings.max_minutes))
    return min(1.0, epochs / settings.epochs)


def finished(settings: Settings, history: list[Row]) -> bool:
    """Whether a run has ended: at the end of its schedule, or early after `patience` epochs without improvement.

    A run with max_minutes does not stop early: its learning rate reaches zero only at the end, and the number of epochs
    depends on the machine.
    """
    if not history:
        return False
    last = history[-1]
    if share_of(settings, last["epoch"], last["seconds"]) >= 1:
        return True
    if settings.patience is None or settings.max_minutes is not None:
        return False
    return last["epoch"] - best_row(history)["epoch"] >= settings.patience
