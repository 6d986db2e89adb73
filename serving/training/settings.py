"""The model's name, its input and every number that training can turn."""

from dataclasses import dataclass

NAME = "clothing-model"
VERSION = 1
SIGNATURE = "serving_default"
INPUT, OUTPUT = "image", "logits"
# Alphabetical, as the data set's folders: the order of the logits.
CLASSES = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")
SIDE = 299
POOL = 3
POOLED_SIDE = SIDE // POOL


@dataclass(frozen=True)
class Settings:
    """How the network is trained; the defaults with `--max-minutes 75` made the committed model."""

    epochs: int = 60
    max_minutes: float | None = None
    seed: int = 1
    batch: int = 32
    learning_rate: float = 2e-3
    warm_up: float = 0.04
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mixup: float = 0.2
    ema_decay: float = 0.997
    # (share of the schedule, side in pixels): small pictures first, as they cost half and teach the coarse shapes.
    sides: tuple[tuple[float, int], ...] = ((0.35, 72), (0.7, 88), (1.0, POOLED_SIDE))
