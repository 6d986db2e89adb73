"""Synthetic customers with a known probability of leaving, so that a trained model can be compared with the truth.

    python -m training.tabular.customers --count 100 --promoted 0.7

prints customers as lines of JSON, each with its record and whether it left.
"""

import argparse
import hashlib
import json
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .network import Columns, Doubles, Feature, rows_of

FEATURES = (
    Feature("contract", "string", ("month-to-month", "one year", "two year")),
    Feature("internetservice", "string", ("dsl", "fiber optic", "no")),
    Feature("tenure", "int64"),
    Feature("supportcalls", "int64"),
    Feature("monthlycharges", "float32"),
)
SEED = 1
CONTRACT_LOGITS = np.array([0.9, -0.8, -2.2])
INTERNET_LOGITS = np.array([0.0, 0.7, -0.9])
INTERNET_CHARGES = np.array([55.0, 85.0, 22.0])


class Customers(NamedTuple):
    """Columns [n], whether each customer left [n], and the true probability of leaving [n], if it is known."""

    columns: Columns
    left: NDArray[np.bool_]
    probabilities: Doubles | None

    def part(self, start: int, stop: int) -> "Customers":
        """The customers from `start` to `stop`."""
        return self.at(np.arange(start, min(stop, len(self.left))))

    def at(self, places: NDArray[np.int64]) -> "Customers":
        """The customers at these places."""
        columns = {name: column[places] for name, column in self.columns.items()}
        known = None if self.probabilities is None else self.probabilities[places]
        return Customers(columns, self.left[places], known)


def draw_customers(count: int, seed: int, promoted: float = 0.0) -> Customers:
    """Draws customers; the same ones for the same arguments.

    The logit is not linear: new customers leave more often, support calls count from the third one, and high charges
    count only for month-to-month contracts.

    `promoted`: the share of customers who came for a promotion: fiber for about 30 instead of 85, month to month, for
    at most half a year so far. Hardly any of them leaves, while most others with such a contract do. No training
    customer has such a price, so a model of those is wrong about them.
    """
    chance = np.random.default_rng(seed)
    contract = chance.choice(3, count, p=(0.5, 0.3, 0.2))
    internet = chance.choice(3, count, p=(0.35, 0.45, 0.2))
    tenure = chance.integers(0, 73, count)
    calls = chance.poisson(1.5, count)
    charges = (INTERNET_CHARGES[internet] + chance.normal(0, 9, count)).astype(np.float32)
    came = np.zeros(count, np.bool_)
    if promoted:
        came = chance.random(count) < promoted
        contract, internet = np.where(came, 0, contract), np.where(came, 1, internet)
        tenure = np.where(came, chance.integers(0, 7, count), tenure)
        charges = np.where(came, chance.normal(30, 3, count).astype(np.float32), charges)
    dear = np.where(contract == 0, np.maximum(charges.astype(np.float64) - 80, 0) / 8, 0)
    newcomer = 2.5 * np.exp(-tenure / 10)
    logits = CONTRACT_LOGITS[contract] + INTERNET_LOGITS[internet] + newcomer + dear
    logits += 0.9 * np.maximum(calls - 2, 0) - 1.3 - 8 * came
    probabilities = 1 / (1 + np.exp(-logits))
    columns = {
        "contract": np.array(FEATURES[0].words, object)[contract],
        "internetservice": np.array(FEATURES[1].words, object)[internet],
        "tenure": tenure,
        "supportcalls": calls.astype(np.int64),
        "monthlycharges": charges,
    }
    return Customers(columns, chance.random(count) < probabilities, probabilities)


class Parts(NamedTuple):
    """Customers for training, validation and test."""

    train: Customers
    validation: Customers
    test: Customers


def draw_parts(train: int = 20_000, validation: int = 10_000, test: int = 20_000) -> Parts:
    """Draws the parts; the same ones for the same sizes."""
    drawn = draw_customers(train + validation + test, SEED)
    chosen = train + validation
    return Parts(drawn.part(0, train), drawn.part(train, chosen), drawn.part(chosen, chosen + test))


def fingerprint(parts: Parts) -> str:
    """SHA-256 over all columns and outcomes."""
    columns = [column for part in parts for column in (*part.columns.values(), part.left)]
    return hashlib.sha256(repr([column.tolist() for column in columns]).encode()).hexdigest()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular.customers", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2, help="the training customers have 1 (%(default)s)")
    parser.add_argument("--promoted", type=float, default=0.0, help="share of customers of a promotion, from 0 to 1")
    given = parser.parse_args()
    drawn = draw_customers(given.count, given.seed, given.promoted)
    for record, left in zip(rows_of(drawn.columns), drawn.left.tolist(), strict=True):
        print(json.dumps({"record": record, "left": left}))


if __name__ == "__main__":
    main()
