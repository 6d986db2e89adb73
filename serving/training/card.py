"""Writes the evaluation as JSON for programs and as a model card for people."""

import json
from pathlib import Path
from typing import Any

from .settings import CLASSES, NAME, POOL, POOLED_SIDE, SIDE, Settings

CARD = """# Model card: {name}, version {version}

A small Xception (`xception-small`) that tells ten kinds of clothing apart in one photo.

| | |
|--|--|
| accuracy on the {test[photos]} test photos | **{test_share}** ({test[correct]} right) |
| accuracy on the {validation[photos]} validation photos | {validation_share} ({validation[correct]} right) |
| parameters | {parameters:,} |
| size | SavedModel {saved_mb:.1f} MB, ONNX {onnx_mb:.1f} MB |
| CPU time of one photo, ONNX Runtime, by threads | {cpu} |
| largest difference of a logit between the two formats | {difference:.1e} |

## Input and output

`image`: float32 [n, {side}, {side}, 3], RGB. Pillow opens the file, `convert("RGB")` (EXIF orientation ignored),
`resize(({side}, {side}), NEAREST)`, then x / 127.5 - 1. `logits`: float32 [n, 10], in the order of `model.yaml`.
The graph averages {pool} x {pool} pixels first, so the network itself sees {pooled} x {pooled}.

## Data

[clothing-dataset-small](https://github.com/alexeygrigorev/clothing-dataset): 3,781 photos, CC0, in ten folders, as
split by its authors: 3,068 for training, 341 for validation, 372 for test. No photo is part of this repository.

## Results on the test photos

All figures come from the exported SavedModel. Rows are true classes, columns are predicted ones.

{confusion}

{per_class}

## Training

From random weights, on a CPU: {epochs} epochs in {minutes:.0f} minutes. How to repeat it: `serving/training/README.md`.

- AdamW, peak rate {s.learning_rate:g}, weight decay {s.weight_decay:g}, warm-up and cosine
- batches of {s.batch}, seed {s.seed}
- label smoothing {s.label_smoothing:g}, mixup {s.mixup:g}, flips, small turns, zooms, shifts and colour changes
- growing pictures: {growing} pixels; rare classes count more, by the square root of their share
- a running average of the weights, decay {s.ema_decay:g}
- kept: the epoch with the best validation accuracy ({best_epoch}); the test photos chose nothing

## Use and limits

Made to show and test the whole path from a photo to an answer, on a laptop. It names the main garment of an everyday
photo. It always answers with one of its ten classes, whatever is in the picture, and was not taught what is not
clothing or which of several garments counts. Tops are mixed up most easily (see the table). The photos come from few
contributors, so figures on other people's photos may be lower. Not for decisions about people.
"""


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _confusion(counts: list[list[int]]) -> str:
    return _table(["", *CLASSES], [[f"**{name}**", *row] for name, row in zip(CLASSES, counts, strict=True)])


def _per_class(rows: list[dict[str, Any]]) -> str:
    cells = [
        [r["class"], r["photos"], *(f"{100 * r[key]:.1f} %" for key in ("precision", "recall", "f1"))] for r in rows
    ]
    return _table(["class", "photos", "precision", "recall", "F1"], cells)


def _cpu(rows: list[dict[str, Any]]) -> str:
    return "; ".join(f"{row['cpu']} ms on {row['threads']} (clock {row['clock']} ms)" for row in rows)


def write_card(out: Path, figures: dict[str, Any], settings: Settings) -> None:
    """evaluation/VERSION.json and README.md."""
    evaluation = out / "evaluation" / f"{figures['version']}.json"
    evaluation.parent.mkdir(parents=True, exist_ok=True)
    evaluation.write_text(json.dumps(figures, indent=2) + "\n")
    text = CARD.format(
        **{key: value for key, value in figures.items() if key not in ("confusion", "per_class")},
        **figures["training"],
        confusion=_confusion(figures["confusion"]),
        per_class=_per_class(figures["per_class"]),
        test_share=f"{100 * figures['test']['accuracy']:.1f} %",
        validation_share=f"{100 * figures['validation']['accuracy']:.1f} %",
        saved_mb=figures["sizes"]["saved_model"] / 1e6,
        onnx_mb=figures["sizes"]["onnx"] / 1e6,
        cpu=_cpu(figures["milliseconds"]),
        growing=", ".join(str(side) for _, side in settings.sides),
        name=NAME, side=SIDE, pool=POOL, pooled=POOLED_SIDE, s=settings,
    )  # fmt: skip
    (out / "README.md").write_text(text)
