"""The model of taxi trips: synthetic trips with known expected durations, and a linear regression that learns them."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..served import tensorflow_call
from .definition import Definition
from .folder import Samples
from .network import Columns, Doubles, Feature, Layer, Network, encode, rows_of

NAME = "ride-duration"
ANSWER = "ride_duration"
ABOUT = "Predicts how many minutes a synthetic taxi trip takes. Compared with the expected durations."
SEED = 1
TRAIN, TEST, SAMPLES = 20_000, 10_000, 40
ZONES = 263
# Clients of the course send a ride and its id.
RECORD = "record: {in: ride, id: ride_id}\n"
PICKUP, DROPOFF, DISTANCE = "PULocationID", "DOLocationID", "trip_distance"


class Trips(NamedTuple):
    """Columns [n], how long each trip took [n], and its expected duration [n], in minutes."""

    columns: Columns
    minutes: Doubles
    expected: Doubles

    def part(self, start: int, stop: int) -> "Trips":
        """The trips from `start` to `stop`."""
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        return Trips(columns, self.minutes[start:stop], self.expected[start:stop])


def draw_trips(count: int, seed: int) -> Trips:
    """Draws trips between zones 1 to 263; the same ones for the same count and seed.

    The expected duration is linear: 5 minutes, something for each of the two zones, and 3.2 minutes a mile. A trip
    differs from it by 3 minutes (standard deviation). Values are rounded, so that every machine draws the same ones.
    """
    chance = np.random.default_rng(seed)
    popular = chance.gamma(1, 1, (2, ZONES))
    slow = chance.normal(0, 2, (2, ZONES)).round(2)
    pickup, dropoff = (chance.choice(ZONES, count, p=weights / weights.sum()) for weights in popular)
    miles = np.clip(chance.lognormal(0.9, 0.8, count), 0.1, 40).round(2).astype(np.float32)
    expected = 5 + slow[0][pickup] + slow[1][dropoff] + 3.2 * miles.astype(np.float64)
    minutes = (expected + chance.normal(0, 3, count)).round(2)
    columns = {PICKUP: pickup + 1, DROPOFF: dropoff + 1, DISTANCE: miles}
    return Trips(columns, minutes, expected)


def fingerprint(trips: Trips) -> str:
    """SHA-256 over all columns and durations."""
    columns = [*trips.columns.values(), trips.minutes]
    return hashlib.sha256(repr([column.tolist() for column in columns]).encode()).hexdigest()


def fit(trips: Trips) -> Network:
    """Least squares over the zones of these trips, one-hot, and the distance. A zone without a trip is unknown.

    The columns of each zone add up to the constant, so many weights fit equally well: the smallest are taken. They are
    rounded to a ten-thousandth of a minute, so that every machine finds the same ones.
    """
    zones = [Feature(name, "int64", tuple(np.unique(trips.columns[name]).tolist())) for name in (PICKUP, DROPOFF)]
    features = (*zones, Feature(DISTANCE, "float32"))
    inputs = encode(features, trips.columns)
    inputs = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    weights = np.linalg.lstsq(inputs.T @ inputs, inputs.T @ trips.minutes, rcond=None)[0].round(4)
    return Network(ANSWER, features, (Layer(weights[1:, np.newaxis], weights[:1]),), threshold=None)


def measure(answered: Doubles, trips: Trips) -> dict[str, Any]:
    """Metrics of answers in minutes, against the durations and against the expected ones."""
    errors = answered - trips.minutes
    figures = {
        "mean_absolute_error": np.abs(errors).mean(),
        "root_mean_squared_error": np.sqrt((errors**2).mean()),
        "explained": 1 - (errors**2).sum() / ((trips.minutes - trips.minutes.mean()) ** 2).sum(),
        "distance_from_truth": np.abs(answered - trips.expected).mean(),
    }
    return {"rows": len(errors), **{name: round(float(value), 6) for name, value in figures.items()}}


def ride_duration(train: int = TRAIN, test: int = TEST) -> Definition:
    """The model fitted to the first trips. The others test it, and the first of them are its parity samples."""
    trips = draw_trips(train + test, SEED)
    network, held_out = fit(trips.part(0, train)), trips.part(train, train + test)
    columns = held_out.part(0, SAMPLES).columns

    def results(version: Path) -> dict[str, Any]:
        answered = tensorflow_call(version)(held_out.columns)[ANSWER][:, 0].astype(np.float64)
        return {"test": measure(answered, held_out), "truth": measure(held_out.expected, held_out)}

    return Definition(
        NAME,
        ABOUT,
        "linear regression",
        network,
        Samples(rows_of(columns), rows_of(network.outputs(columns))),
        {"train": train, "test": test, "seed": SEED},
        fingerprint(trips),
        results,
        RECORD,
        held_out.columns,
    )
