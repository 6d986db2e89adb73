"""What the committed models have to answer: rows of tables, and pictures."""

import json
from pathlib import Path

import numpy

EXAMPLES = Path(__file__).parents[3] / "shared/data/tabular"
NUMPY = {"INT64": numpy.int64, "FP32": numpy.float32, "BYTES": numpy.object_}
TOLERANCE = 1e-6


def check_best_classes(best, expected):
    """`best`: of each picture its best classes as the texts VALUE:INDEX, best first."""
    indexes = [[int(text.decode().split(":")[1]) for text in row] for row in best]
    numpy.testing.assert_array_equal(indexes, numpy.argsort(-expected, axis=1)[:, : best.shape[1]])


def table_of(models, name):
    """The rows of a model and the outputs for each: all examples of its authors if they are there, else those of parity."""
    file = EXAMPLES / f"{name}.json"
    if not file.exists():
        samples = json.loads((models / name / "parity/1.json").read_text())
        return samples["instances"], samples["outputs"]
    examples = json.loads(file.read_text())["examples"]
    outputs = [{output: example[output] for output in (f"{name}_probability", name)} for example in examples]
    return [example["instance"] for example in examples], outputs


def array_of(datatype, values):
    """The values of an input as the array that the clients take."""
    texts = [value.encode() for value in values] if datatype == "BYTES" else values
    return numpy.array(texts, dtype=NUMPY[datatype])


def pictures_of(models):
    """Encoded pictures, the scores of each, and their tolerance."""
    folder = models / "clothing-model"
    newest = max(int(one.name) for one in folder.iterdir() if one.name.isdigit())
    parity = json.loads((folder / f"parity/{newest}.json").read_text())
    files = sorted(parity["scores"])
    pictures = [(folder / "parity" / file).read_bytes() for file in files]
    return pictures, numpy.array([parity["scores"][file] for file in files]), parity["tolerance"]


def check_columns(columns, outputs):
    """Compares the values of each output with those of the rows."""
    for name in outputs[0]:
        values = numpy.array(columns[name]).reshape(len(outputs))
        numpy.testing.assert_allclose(values, [row[name] for row in outputs], atol=TOLERANCE, rtol=0)
