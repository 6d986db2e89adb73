"""The names of the committed model and its tensors, and all settings of training."""

from dataclasses import dataclass, fields
from typing import Any

NAME = "clothing-model"
VERSION = 1
SIGNATURE = "serving_default"
INPUT, OUTPUT = "image", "logits"
SIDE = 299
Sides = tuple[tuple[float, int], ...]
# By pool: (share of the schedule, side in pixels). Smaller pictures first: they cost half and are enough for coarse
# shapes. The last side is also used for serving, because padding of strided layers depends on the side: weights trained
# at 144 classified 304 of 341 validation photos correctly at 144, and 296 at 149.
SIDES: dict[int, Sides] = {
    1: ((1.0, 299),),
    2: ((0.3, 112), (0.65, 128), (1.0, 144)),
    3: ((0.35, 72), (0.7, 88), (1.0, 99)),
}
# By the folders train, validation and test, by a hash of each file name, or by the folders if they are there.
SPLITS = ("auto", "folders", "hash")
# How the served graph makes the network's input of a photo: the mean of pool x pool squares and then the centre, or the
# whole photo resized bilinearly.
SHRINKS = ("pool", "bilinear")
# How the exported files store large weights. float16 halves them; the graph still computes in float32.
STORED = ("float32", "float16")


@dataclass(frozen=True)
class Settings:
    """How the network is trained. Settings, photos and commit together reproduce a run.

    `pool`: side of the pixel squares that the served graph averages first. `sides`: see SIDES; by default they follow
    from `pool`. The last side is the network's input when serving. `shrink`: see SHRINKS. `stored`: see STORED.
    `weights`: file with initial weights, or "imagenet". `epochs`: 0 for as many as the number of photos needs.
    `frozen`: share of the schedule in which only the head is trained, at `learning_rate`; then everything is trained at
    `fine_tuning_rate`. `patience`: in epochs. `mixup`: 0 for neither mixup nor CutMix. `width`: scales the channels of
    xception-small. `augmentation`: scales the strength of data augmentation.
    """

    architecture: str = "xception-small"
    weights: str | None = None
    split: str = "auto"
    epochs: int = 60
    max_minutes: float | None = None
    patience: int | None = 15
    seed: int = 1
    batch: int = 32
    pool: int = 3
    shrink: str = "pool"
    width: float = 1.0
    dropout: float = 0.4
    learning_rate: float = 2e-3
    warm_up: float = 0.04
    frozen: float = 0.0
    fine_tuning_rate: float = 1e-5
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mixup: float = 0.2
    augmentation: float = 1.0
    ema_decay: float = 0.997
    sides: Sides = ()
    stored: str = "float32"

    def __post_init__(self) -> None:
        if self.architecture not in DEFAULTS:
            raise ValueError(f"architecture {self.architecture!r}: must be one of {', '.join(DEFAULTS)}")
        for name, known in (("split", SPLITS), ("shrink", SHRINKS), ("stored", STORED)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} {getattr(self, name)!r}: must be one of {', '.join(known)}")
        if self.pool not in SIDES:
            raise ValueError(f"pool {self.pool}: must be one of {', '.join(map(str, SIDES))}")
        if self.shrink == "bilinear" and self.pool != 1:
            raise ValueError(f"pool {self.pool}: photos that are resized bilinearly are not pooled, so it must be 1")
        # Settings read from JSON have lists instead of tuples.
        sides = tuple((share, side) for share, side in self.sides) or SIDES[self.pool]
        object.__setattr__(self, "sides", sides)
        if self.sides[-1][1] > pooled_side(self.pool):
            raise ValueError(f"sides {self.sides}: pictures of pool {self.pool} are {pooled_side(self.pool)} wide")

    @property
    def side(self) -> int:
        """The side of the network's input when serving, in pixels after average pooling."""
        return self.sides[-1][1]


# Fine-tuning of EfficientNet-Lite. More than a few epochs, or mixup, would take longer than they are worth.
FINE_TUNING: dict[str, Any] = {
    "weights": "imagenet",
    "epochs": 0,
    "pool": 1,
    "shrink": "bilinear",
    "sides": ((1.0, 224),),
    "stored": "float16",
    "dropout": 0.2,
    "learning_rate": 2e-4,
    "warm_up": 0.1,
    "weight_decay": 0.01,
    "mixup": 0.0,
    "ema_decay": 0.99,
}
# Defaults of each architecture. Those of xception are the original course's: its learning rate for the head, dropout
# 0.2, then a hundredth of that rate, to change the ImageNet weights only slightly.
DEFAULTS: dict[str, dict[str, Any]] = {
    "xception-small": {},
    "xception": {
        "weights": "imagenet",
        "epochs": 30,
        "pool": 1,
        "dropout": 0.2,
        "learning_rate": 1e-3,
        "frozen": 0.3,
    },
    "efficientnet-lite0": FINE_TUNING,
    "efficientnet-lite2": FINE_TUNING,
}


def settings_for(architecture: str = "xception-small", **given: object) -> Settings:
    """The architecture's defaults, overridden by the given fields. Raises ValueError for an invalid field."""
    known = {field.name for field in fields(Settings)}
    for name in given:
        if name not in known:
            raise ValueError(f"no setting {name!r}: must be one of {', '.join(sorted(known))}")
    return Settings(**{"architecture": architecture, **DEFAULTS.get(architecture, {}), **given})


def pooled_side(pool: int) -> int:
    """The largest side after average pooling, in pixels."""
    return SIDE // pool


def middle(pool: int, side: int) -> slice:
    """The central rows or columns of a photo that average to `side` pixels."""
    start = (SIDE - side * pool) // 2
    return slice(start, start + side * pool)
