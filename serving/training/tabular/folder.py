"""Writes a model folder: the version in both formats, parity samples, evaluation and card."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..evaluate import sizes
from ..json_file import write_json
from ..settings import SIGNATURE, VERSION
from .baseline import write_table_baseline
from .card import write_card
from .export import TOLERANCE, export, largest_difference
from .network import Columns, Network, Row, columns_of

# A form with a longer list is no help.
MAX_CHOICES = 50


class Samples(NamedTuple):
    """Rows and the expected outputs of each."""

    rows: Sequence[Row]
    outputs: Sequence[dict[str, Any]]


def write_version(
    folder: Path, network: Network, samples: Samples, fields: str = "", held_out: Columns | None = None
) -> dict[str, Any]:
    """Replaces version 1, model.yaml and the parity samples. Returns the fields of the evaluation that describe them.

    `fields`: further lines of model.yaml, beside those for the categories. `held_out`: rows that the model was not
    fitted to, for its baseline.

    Raises ValueError if the outputs of either format differ from the samples.
    """
    # Servers ignore names with a dot, so the version appears after it is complete and checked.
    unfinished, version = folder / f".{VERSION}", folder / str(VERSION)
    unfinished.mkdir(parents=True, exist_ok=True)
    export(network, unfinished, folder.name)
    columns = columns_of(network.features, samples.rows)
    wanted = {name: np.array([output[name] for output in samples.outputs]) for name in samples.outputs[0]}
    difference = largest_difference(unfinished, columns, wanted)
    shutil.rmtree(version, ignore_errors=True)
    unfinished.rename(version)
    (folder / "model.yaml").write_text(f"name: {folder.name}\nsignature: {SIGNATURE}\n{fields}{_choices(network)}")
    _write_parity(folder / "parity", samples)
    if held_out is not None:
        write_table_baseline(version, held_out, "test rows")
    return {
        "rows": len(samples.rows),
        "inputs": [
            {"name": feature.name, "dtype": feature.dtype, "words": list(feature.words)} for feature in network.features
        ],
        "answer": network.answer,
        "threshold": network.threshold,
        "parameters": network.parameters,
        "sizes": sizes(version),
        "difference": difference,
    }


def _choices(network: Network) -> str:
    """The lines of model.yaml with the values of each category, for forms. JSON is YAML, and quotes what needs it."""
    categories = [feature for feature in network.features if 0 < len(feature.words) <= MAX_CHOICES]
    lines = [f"  {feature.name}: {{choices: {json.dumps(feature.words)}}}\n" for feature in categories]
    return "".join(["inputs:\n", *lines]) if lines else ""


def _write_parity(folder: Path, samples: Samples) -> None:
    """Writes the samples that a server or gateway can compare its outputs with."""
    folder.mkdir(exist_ok=True)
    known = {"version": VERSION, "tolerance": TOLERANCE}
    write_json(folder / f"{VERSION}.json", {**known, "instances": samples.rows, "outputs": samples.outputs})


def write_evaluation(folder: Path, evaluation: dict[str, Any]) -> None:
    """Writes evaluation/VERSION.json and the card."""
    (folder / "evaluation").mkdir(exist_ok=True)
    write_json(folder / "evaluation" / f"{VERSION}.json", evaluation)
    write_card(folder, VERSION)
