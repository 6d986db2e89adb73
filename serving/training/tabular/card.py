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

{outputs}

## Results

{results}

## Use and limits

{limits}
"""

DECISION = (
    "`{answer}_probability`: float32 [n]. `{answer}`: bool [n], true from a probability of {threshold:g}. "
    "The graph computes\nin float64."
)
NUMBER = "`{answer}`: float32 [n, 1]. The graph computes in float64."
PUBLISHED = """The model was not trained here. A course on machine learning published it, with examples of its outputs.
`python -m training.tabular` writes it in both formats. The {rows} examples are the parity samples.
Published outputs and the outputs of this model:

{table}"""
PUBLISHED_LIMITS = (
    """As accurate as the model that it copies, which was published in a course. Not for decisions about people."""
)
TRAINED = """On {test[rows]:,} customers that were not used for training:

{table}
{about}
Trained for {epochs} epochs. Selected: the epoch with the lowest validation loss ({best}). Gate: {gate}."""
ABOUT_TRUTH = """
The accuracy against the truth is the mean true probability that the decision is right, so it does not depend on the
sample. The first column is the best result possible with these inputs.
"""
MEASURED = {
    "accuracy against the truth": "accuracy_against_truth",
    "accuracy against the observed outcome": "accuracy",
    "loss": "loss",
    "area under the ROC curve": "area_under_curve",
    "expected calibration error": "calibration_error",
    "mean distance from the true probability": "distance_from_truth",
}
FITTED = """Least squares on {settings[train]:,} trips. On {test[rows]:,} others:

{table}

The first column is the best result possible: every trip differs from its expected duration."""
ERRORS = {
    "mean absolute error, minutes": "mean_absolute_error",
    "root mean squared error, minutes": "root_mean_squared_error",
    "share of the variance explained": "explained",
    "mean distance from the expected duration, minutes": "distance_from_truth",
}
FITTED_LIMITS = """The trips are synthetic, drawn by `serving/training/tabular/rides.py`. The numbers of their zones
look like those of New York's taxis, and mean nothing."""
LABELLED_LIMITS = """Trained on synthetic customers, drawn by `serving/training/tabular/customers.py`, and on
predictions whose labels came later. Measured on others of these predictions."""
TRAINED_LIMITS = """The customers are synthetic, drawn by `serving/training/tabular/customers.py`. The model shows how
to train and serve table models, and that a trained model comes close to the best result possible."""


# More are counted, not listed.
MOST_WORDS = 20


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines: list[list[Any]] = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _words(words: list[object]) -> str:
    if len(words) > MOST_WORDS:
        return f"{len(words)} values, {words[0]} to {words[-1]}"
    return ", ".join(str(word) for word in words) or "any number"


def _inputs(inputs: list[dict[str, Any]]) -> str:
    rows: list[list[object]] = [[f"`{i['name']}`", i["dtype"], _words(i["words"])] for i in inputs]
    return _table(["input", "type", "known values"], rows)


def _published(evaluation: dict[str, Any]) -> str:
    rows: list[list[object]] = [[row["published"], row["answered"]] for row in evaluation["published"]]
    return PUBLISHED.format(rows=evaluation["rows"], table=_table(["published", "this model"], rows))


def _trained(evaluation: dict[str, Any]) -> str:
    test, truth = evaluation["test"], evaluation.get("truth")
    measured = [(name, key) for name, key in MEASURED.items() if key in test]
    if truth is None:
        about, table = "", _table(["", "the model"], [[name, f"{test[key]:.4f}"] for name, key in measured])
    else:
        rows: list[list[object]] = [[name, f"{truth[key]:.4f}", f"{test[key]:.4f}"] for name, key in measured]
        about, table = ABOUT_TRUTH, _table(["", "true probabilities", "the model"], rows)
    training = evaluation["training"]
    gate = evaluation["gate"]["decision"]
    return TRAINED.format(
        test=test, table=table, about=about, epochs=training["epochs"], best=training["best_epoch"], gate=gate
    )


def _fitted(evaluation: dict[str, Any]) -> str:
    test, truth = evaluation["test"], evaluation["truth"]
    rows: list[list[object]] = [[name, f"{truth[key]:.3f}", f"{test[key]:.3f}"] for name, key in ERRORS.items()]
    table = _table(["", "expected durations", "the model"], rows)
    return FITTED.format(settings=evaluation["lineage"]["settings"], test=test, table=table)


def _parts(evaluation: dict[str, Any]) -> dict[str, str]:
    """What depends on the kind of model: its outputs, results and limits."""
    if evaluation["threshold"] is None:
        return {"outputs": NUMBER.format(**evaluation), "results": _fitted(evaluation), "limits": FITTED_LIMITS}
    outputs = DECISION.format(**evaluation)
    if "published" in evaluation:
        return {"outputs": outputs, "results": _published(evaluation), "limits": PUBLISHED_LIMITS}
    limits = TRAINED_LIMITS if "truth" in evaluation else LABELLED_LIMITS
    return {"outputs": outputs, "results": _trained(evaluation), "limits": limits}


def write_card(folder: Path, version: int) -> None:
    """Writes README.md from evaluation/VERSION.json."""
    evaluation = json.loads((folder / "evaluation" / f"{version}.json").read_text())
    about = evaluation["about"]
    text = CARD.format(
        **{name: evaluation[name] for name in ("model", "version", "architecture", "parameters", "rows")},
        difference=evaluation["difference"],
        about=f"{about[0].upper()}{about[1:].rstrip('.')}.",
        tolerance=TOLERANCE,
        saved_kb=evaluation["sizes"]["saved_model"] / 1e3,
        onnx_kb=evaluation["sizes"]["onnx"] / 1e3,
        inputs=_inputs(evaluation["inputs"]),
        **_parts(evaluation),
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
