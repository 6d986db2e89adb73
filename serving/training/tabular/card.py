"""Writes the model card of a table model from its evaluation."""

import argparse
import json
from pathlib import Path
from typing import Any

from .export import TOLERANCE

CARD = """# Model card: {model}, version {version}

{about}

| | |
|--|--|
| architecture | {architecture} |
| parameters | {parameters:,} |
| size | SavedModel {saved_kb:.0f} kB, ONNX {onnx_kb:.0f} kB |
| largest difference of an output, both formats, {rows} parity samples | {difference:.1e}, allowed {tolerance:g} |

## Input and output

Every input is a separate tensor [n]. An unknown value of a category counts as 0.

{inputs}

`{answer}_probability`: float32 [n]. `{answer}`: bool [n], true from a probability of {threshold:g}. The graph computes
in float64.

## Results

{results}

## Use and limits

{limits}
"""

PUBLISHED = """The model was not trained here: `python -m training.tabular` writes a published model in both formats.
Its {rows} examples are the parity samples. Published outputs and the outputs of this model:

{table}"""
PUBLISHED_LIMITS = (
    """As accurate as the model that it copies, which was published in a course. Not for decisions about people."""
)
TRAINED = """On {test[rows]:,} customers that were not used for training:

{table}

The accuracy against the truth is the mean true probability that the decision is right, so it does not depend on the
sample. The first column is the best result possible with these inputs.

Trained for {epochs} epochs. Selected: the epoch with the lowest validation loss ({best}). Gate: {gate}."""
MEASURED = {
    "accuracy against the truth": "accuracy_against_truth",
    "accuracy against the observed outcome": "accuracy",
    "loss": "loss",
    "area under the ROC curve": "area_under_curve",
    "expected calibration error": "calibration_error",
    "mean distance from the true probability": "distance_from_truth",
}
TRAINED_LIMITS = """The customers are synthetic, drawn by `serving/training/tabular/customers.py`. The model shows how
to train and serve table models, and that a trained model comes close to the best result possible."""


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines: list[list[Any]] = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _inputs(inputs: list[dict[str, Any]]) -> str:
    rows: list[list[object]] = [
        [f"`{i['name']}`", i["dtype"], ", ".join(str(word) for word in i["words"]) or "any number"] for i in inputs
    ]
    return _table(["input", "type", "known values"], rows)


def _published(evaluation: dict[str, Any]) -> str:
    rows: list[list[object]] = [[row["published"], row["answered"]] for row in evaluation["published"]]
    return PUBLISHED.format(rows=evaluation["rows"], table=_table(["published", "this model"], rows))


def _trained(evaluation: dict[str, Any]) -> str:
    test, truth = evaluation["test"], evaluation["truth"]
    rows: list[list[object]] = [[name, f"{truth[key]:.4f}", f"{test[key]:.4f}"] for name, key in MEASURED.items()]
    table = _table(["", "true probabilities", "the model"], rows)
    training = evaluation["training"]
    gate = evaluation["gate"]["decision"]
    return TRAINED.format(test=test, table=table, epochs=training["epochs"], best=training["best_epoch"], gate=gate)


def write_card(folder: Path, version: int) -> None:
    """Writes README.md from evaluation/VERSION.json."""
    evaluation = json.loads((folder / "evaluation" / f"{version}.json").read_text())
    published = "published" in evaluation
    about = evaluation["about"]
    text = CARD.format(
        **{name: evaluation[name] for name in ("model", "version", "architecture", "parameters", "rows")},
        **{name: evaluation[name] for name in ("answer", "threshold", "difference")},
        about=f"{about[0].upper()}{about[1:].rstrip('.')}.",
        tolerance=TOLERANCE,
        saved_kb=evaluation["sizes"]["saved_model"] / 1e3,
        onnx_kb=evaluation["sizes"]["onnx"] / 1e3,
        inputs=_inputs(evaluation["inputs"]),
        results=_published(evaluation) if published else _trained(evaluation),
        limits=PUBLISHED_LIMITS if published else TRAINED_LIMITS,
    )
    (folder / "README.md").write_text(text)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m training.tabular.card", description=__doc__)
    parser.add_argument("model_folder", type=Path, help="the folder with model.yaml")
    parser.add_argument("version", type=int)
    given = parser.parse_args()
    try:
        write_card(given.model_folder, given.version)
    except OSError as error:
        raise SystemExit(f"training.tabular.card: {error}") from error


if __name__ == "__main__":
    main()
