"""What the step size and the picture size are at each point of a run."""

import math

from .history import Row, best_row
from .settings import Settings


def _rise_and_fall(settings: Settings, share: float) -> float:
    """Linear warm-up to 1, then half a cosine to zero."""
    if share < settings.warm_up:
        return share / settings.warm_up + 0.01
    rest = min(1.0, (share - settings.warm_up) / (1 - settings.warm_up))
    return 0.5 * (1 + math.cos(math.pi * rest))


def learning_rate(settings: Settings, share: float) -> float:
    """Rises and falls once, or once for the head alone and once more for all; share is how much has passed."""
    if share < settings.frozen:
        return settings.learning_rate * _rise_and_fall(settings, share / settings.frozen)
    peak = settings.fine_tuning_rate if settings.frozen else settings.learning_rate
    return peak * _rise_and_fall(settings, (share - settings.frozen) / (1 - settings.frozen))


def side_at(settings: Settings, share: float) -> int:
    """The side of the training pictures at this point of the schedule."""
    return next((side for until, side in settings.sides if share < until), settings.sides[-1][1])


def share_of(settings: Settings, epochs: float, seconds: float) -> float:
    """How much of the schedule has passed: by the clock if minutes are given, else by epochs."""
    if settings.max_minutes is not None:
        return min(1.0, seconds / (60 * settings.max_minutes))
    return min(1.0, epochs / settings.epochs)


def finished(settings: Settings, history: list[Row]) -> bool:
    """Whether a run has ended: at the end of its schedule, or early, when `patience` epochs brought nothing better.

    A run by the clock does not stop early: its rate only falls to zero at the end, the time is given, and how many
    epochs fit into it is chance.
    """
    if not history:
        return False
    last = history[-1]
    if share_of(settings, last["epoch"], last["seconds"]) >= 1:
        return True
    if settings.patience is None or settings.max_minutes is not None:
        return False
    return last["epoch"] - best_row(history)["epoch"] >= settings.patience
