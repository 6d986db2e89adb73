"""python -m training --data DIR --out DIR: trains, exports, proves and describes the model in one go."""

import argparse
import json
from pathlib import Path

from .finish import finish
from .settings import NAME, Settings
from .train import train

SERVING = Path(__file__).resolve().parents[1]


def arguments() -> argparse.Namespace:
    """The command line."""
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train, validation and test")
    parser.add_argument("--out", type=Path, default=SERVING / "models" / NAME, help="the model's folder (%(default)s)")
    parser.add_argument("--work", type=Path, default=SERVING / "training" / "work", help="checkpoints (%(default)s)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, default=defaults.epochs, help="length of the schedule (%(default)s)")
    length.add_argument("--max-minutes", type=float, help="let the clock be the schedule, whatever the machine's speed")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="(%(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch")
    parser.add_argument("--export-only", action="store_true", help="no training: export the best weights so far")
    return parser.parse_args()


def main() -> None:
    """One straight line."""
    given = arguments()
    settings = Settings(epochs=given.epochs, max_minutes=given.max_minutes, seed=given.seed)
    if not given.export_only:
        train(given.data, given.work, settings, resume=given.resume)
    figures = finish(given.data, given.work, given.out, settings)
    print(json.dumps({key: figures[key] for key in ("test", "validation", "parameters", "sizes", "milliseconds")}))


if __name__ == "__main__":
    main()
