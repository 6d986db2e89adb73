"""Draws the plots of a model card: small PNG files, identical for identical metrics."""

from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from .calibrate import BINS

DPI = 80
COLOURS = 32
Rows = list[dict[str, Any]]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure((width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """Encodes as PNG with a small palette and without metadata: a quarter of the size, and reproducible."""
    drawn, file = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)
    return file.getvalue()


def learning_curve(history: Rows) -> bytes:
    """Validation accuracy by epoch, with the losses on a second axis."""
    epochs = [row["epoch"] for row in history]
    figure, axes = _figure(7, 3.5)
    axes.plot(epochs, [100 * row["accuracy"] for row in history], color="tab:blue")
    axes.set(xlabel="epoch", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("validation accuracy, %", color="tab:blue")
    losses = axes.twinx()
    losses.plot(epochs, [row["loss"] for row in history], color="tab:orange", label="training, with augmentation")
    losses.plot(epochs, [row["validation_loss"] for row in history], "--", color="tab:orange", label="validation")
    losses.set_ylabel("loss", color="tab:orange")
    losses.spines["top"].set_visible(False)
    losses.legend(loc="center right", frameon=False)
    return _png(figure)


def confusion_matrix(counts: list[list[int]], classes: list[str]) -> bytes:
    """Counts by true class (rows) and predicted class (columns), shaded by the share of the row."""
    figure, axes = _figure(6, 5.4)
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    for row, values in enumerate(counts):
        for column, count in enumerate(values):
            if count:
                colour = "white" if shares[row][column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    return _png(figure)


def reliability_diagram(rows: Rows) -> bytes:
    """Accuracy by confidence, with the number of photos above each bar. The diagonal is perfect calibration."""
    figure, axes = _figure(4.5, 4)
    lows = [row["low"] for row in rows]
    axes.bar(lows, [row["accuracy"] for row in rows], 1 / BINS, align="edge", color="tab:blue", edgecolor="white")
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.plot([row["confidence"] for row in rows], [row["accuracy"] for row in rows], "o", color="tab:orange", ms=4)
    for row in rows:
        axes.text((row["low"] + row["high"]) / 2, 1.03, str(row["photos"]), ha="center", fontsize=7)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.1))
    return _png(figure)
