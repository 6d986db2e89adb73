"""The model's name, its input and every number that training can turn."""

from dataclasses import dataclass, fields
from typing import Any

NAME = "clothing-model"
VERSION = 1
SIGNATURE = "serving_default"
INPUT, OUTPUT = "image", "logits"
# Alphabetical, as the data set's folders: the order of the logits.
CLASSES = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")
SIDE = 299
Sides = tuple[tuple[float, int], ...]
# By pool, (share of the schedule, side in pixels): small pictures first, as they cost half and teach the coarse shapes.
# The last side serves too, because strided layers pad other pixels at another side: what was learnt at 144 was right
# about 304 of 341 validation photos at 144, and about 296 at 149.
SIDES: dict[int, Sides] = {
    1: ((1.0, 299),),
    2: ((0.3, 112), (0.65, 128), (1.0, 144)),
    3: ((0.35, 72), (0.7, 88), (1.0, 99)),
}
SPLITS = ("folders", "hash")


@dataclass(frozen=True)
class Settings:
    """How the network is trained; a run is repeated by its settings, its photos and its commit.

    `pool` is the side of the squares that the served graph averages first, `sides` follow from it unless given; the
    last one is what the network sees when it serves, cut from the middle of the photo.
    `weights` is a file to start from, or "imagenet" for xception. `frozen` is the share of the schedule in which only
    the head learns, at `learning_rate`; the rest then learns at `fine_tuning_rate`. `patience` is in epochs.
    `width` and `augmentation` scale the channels of xception-small and the reach of the random views.
    """

    architecture: str = "xception-small"
    weights: str | None = None
    split: str = "folders"
    epochs: int = 60
    max_minutes: float | None = None
    patience: int | None = 15
    seed: int = 1
    batch: int = 32
    pool: int = 3
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

    def __post_init__(self) -> None:
        if self.architecture not in DEFAULTS:
            raise ValueError(f"architecture {self.architecture!r}: one of {', '.join(DEFAULTS)}")
        if self.split not in SPLITS:
            raise ValueError(f"split {self.split!r}: one of {', '.join(SPLITS)}")
        if self.pool not in SIDES:
            raise ValueError(f"pool {self.pool}: one of {', '.join(map(str, SIDES))}")
        # JSON has no tuples, and settings come back from it.
        sides = tuple((share, side) for share, side in self.sides) or SIDES[self.pool]
        object.__setattr__(self, "sides", sides)
        if self.sides[-1][1] > pooled_side(self.pool):
            raise ValueError(f"sides {self.sides}: pictures of pool {self.pool} are {pooled_side(self.pool)} wide")

    @property
    def side(self) -> int:
        """What the trunk sees when it serves, in pixels behind the averaging."""
        return self.sides[-1][1]


# What each architecture changes. xception's are the original course's: its rate for the head, dropout 0.2, and then a
# hundredth of that rate, so that what ImageNet taught is bent and not broken.
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
}


def settings_for(architecture: str = "xception-small", **given: object) -> Settings:
    """The architecture's defaults with the given fields in their place; ValueError names a field that is wrong."""
    known = {field.name for field in fields(Settings)}
    for name in given:
        if name not in known:
            raise ValueError(f"no setting {name!r}: one of {', '.join(sorted(known))}")
    return Settings(**{"architecture": architecture, **DEFAULTS.get(architecture, {}), **given})


def pooled_side(pool: int) -> int:
    """The most pixels behind the averaging."""
    return SIDE // pool


def middle(pool: int, side: int) -> slice:
    """The rows or columns of a photo that are averaged to `side`, an equal part left out before and behind them."""
    start = (SIDE - side * pool) // 2
    return slice(start, start + side * pool)
