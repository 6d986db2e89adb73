"""Writes the folders of table models that need no training run: python -m training.tabular --models DIR"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from .definition import Definition
from .published import NUMBERS, published
from .rides import ride_duration
from .write import make

SERVING = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular", description=__doc__)
    parser.add_argument(
        "--numbers", type=Path, nargs="+", help="published models as NAME.json (churn, credit; and ride-duration)"
    )
    parser.add_argument(
        "--models", type=Path, default=SERVING / "models", help="folder to write NAME/ to (%(default)s)"
    )
    parser.add_argument(
        "--work", type=Path, default=SERVING / "training" / "work", help="folder of the MLflow store (%(default)s)"
    )
    return parser.parse_args()


def definitions(numbers: list[Path] | None) -> Iterator[Definition]:
    """The models in these files; without files, all models of this repository."""
    for file in numbers or sorted(NUMBERS.glob("*.json")):
        yield published(file)
    if not numbers:
        yield ride_duration()


def main() -> None:
    """Runs the command."""
    given = arguments()
    try:
        for definition in definitions(given.numbers):
            evaluation = make(definition, given.models, given.work)
            rows, difference = evaluation["rows"], evaluation["difference"]
            print(f"{given.models / definition.name}: {rows} examples match within {difference:.1e}")
    except (ValueError, OSError) as error:
        raise SystemExit(f"training.tabular: {error}") from error


if __name__ == "__main__":
    main()
