"""Synthetic customers with a known probability of leaving, so that a trained model can be compared with the truth."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .network import Columns, Doubles, Feature

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
    """Columns [n], whether each customer left [n], and the true probability of leaving [n]."""

    columns: Columns
    left: NDArray[np.bool_]
    probabilities: Doubles

    def part(self, start: int, stop: int) -> "Customers":
        """The customers from `start` to `stop`."""
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        return Customers(columns, self.left[start:stop], self.probabilities[start:stop])


def draw_customers(count: int, seed: int) -> Customers:
    """Draws customers; the same ones for the same count and seed.

    The logit is not linear: new customers leave more often, support calls count from the third one, and high charges
    count only for month-to-month contracts.
    """
    chance = np.random.default_rng(seed)
    contract = chance.choice(3, count, p=(0.5, 0.3, 0.2))
    internet = chance.choice(3, count, p=(0.35, 0.45, 0.2))
    tenure = chance.integers(0, 73, count)
    calls = chance.poisson(1.5, count)
    charges = (INTERNET_CHARGES[internet] + chance.normal(0, 9, count)).astype(np.float32)
    dear = np.where(contract == 0, np.maximum(charges.astype(np.float64) - 80, 0) / 8, 0)
    newcomer = 2.5 * np.exp(-tenure / 10)
    logits = CONTRACT_LOGITS[contract] + INTERNET_LOGITS[internet] + newcomer + dear
    logits += 0.9 * np.maximum(calls - 2, 0) - 1.3
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
