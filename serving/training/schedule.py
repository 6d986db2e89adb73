"""What the step size and the picture size are at each point of a run."""

import math

from .settings import Settings


def learning_rate(settings: Settings, share: float) -> float:
    """Linear warm-up, then half a cosine to zero; share is how much of the schedule has passed."""
    if share < settings.warm_up:
        return settings.learning_rate * (share / settings.warm_up + 0.01)
    rest = min(1.0, (share - settings.warm_up) / (1 - settings.warm_up))
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def side_at(settings: Settings, share: float) -> int:
    """The side of the training pictures at this point of the schedule."""
    return next((side for until, side in settings.sides if share < until), settings.sides[-1][1])
