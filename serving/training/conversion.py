"""Makes a model folder of a trained model: SavedModel, ONNX, warm-up requests, parity samples and model.yaml."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .activation import Meaning, last_operations, meaning_of
from .agreement import largest_difference
from .explain import obstacle
from .explain_onnx import write_explain_onnx
from .keras_file import loss_of
from .model_file import (
    CONVERTED,
    ImageOptions,
    ModelFile,
    SignatureSpec,
    check_name,
    describe,
    output_of,
    read_model_file,
    with_options,
    write_model_file,
)
from .parity import PICTURES, Reader, write_scores, write_tensors
from .pictures import reader_of
from .served import Array, Call, Scores, Tensors, onnx_call, onnx_file, tensorflow_call
from .settings import VERSION
from .source import Source, check_repeatable, open_source
from .to_onnx import write_onnx
from .warmup import write_warmup

MODEL_FILE = "model.yaml"


class Conversion(NamedTuple):
    """What to convert. `model_yaml` or `image` adds what a model file does not contain."""

    source: Path
    name: str
    out: Path
    model_yaml: Path | None = None
    image: ImageOptions = ImageOptions()

    @property
    def folder(self) -> Path:
        """The model folder."""
        return self.out / self.name


class Converted(NamedTuple):
    """What was made of the source.

    `difference`: the largest of any output between source and formats. `meaning`: None without classes.
    `no_gradients`: by format, why its version has no signature `explain`.
    """

    difference: float
    described: ModelFile
    meaning: Meaning | None
    no_gradients: dict[str, str]


def _random(spec: tf.TensorSpec) -> Array:
    """Two random rows of the input's type. Other variable axes have length one."""
    chance, shape = np.random.default_rng(7), [size or (1 if axis else 2) for axis, size in enumerate(spec.shape)]
    if spec.dtype == tf.string:
        return np.full(shape, "a", object)
    if spec.dtype.is_floating:
        return chance.normal(0, 1, shape).astype(spec.dtype.as_numpy_dtype)
    return chance.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)


def _samples(parity: Path, reader: Reader | None, described: ModelFile, signature: SignatureSpec) -> list[Tensors]:
    """The inputs to compare with: parity pictures if the model's preprocessing is supported, otherwise random rows."""
    if reader is None:
        return [{name: _random(spec) for name, spec in signature.inputs.items()}]
    write_tensors(parity, reader, described["image"])
    (image,) = signature.inputs
    return [{image: reader.tensor(reader.pixels(parity / picture))[np.newaxis]} for picture in PICTURES]


def _compare(calls: dict[str, Call], samples: list[Tensors]) -> float:
    """The largest difference of any output between any two formats. Raises ValueError if it is too large."""
    largest = 0.0
    for inputs in samples:
        answers = {way: call(inputs) for way, call in calls.items()}
        for output in answers["source"]:
            lacking = [way for way, answer in answers.items() if output not in answer]
            if lacking:
                raise ValueError(f"{' and '.join(lacking)} has no output {output}")
            outputs = {f"{output} of {way}": answer[output] for way, answer in answers.items()}
            largest = max(largest, largest_difference(outputs))
    return largest


def _describe(conversion: Conversion, signature: SignatureSpec) -> tuple[ModelFile, str | None]:
    """model.yaml's fields, and its text if it is a file that the options leave as it is.

    From a given file, from that of an earlier conversion, or new.
    """
    known = conversion.folder / MODEL_FILE
    file = conversion.model_yaml or (known if known.exists() else None)
    if file is None:
        return describe(conversion.name, signature, conversion.image), None
    fields = read_model_file(file, conversion.name, signature)
    changed = with_options(fields, conversion.image)
    return changed, file.read_text() if changed == fields else None


def _explained(source: Source, described: ModelFile) -> tuple[str | None, dict[str, str]]:
    """The output that gradients explain, or why there is none: the one with the scores, or the only one of floats."""
    if source.whole:
        return None, {"SavedModel and ONNX": "a SavedModel keeps its signatures; convert the .keras or .h5 file"}
    inputs, outputs = source.signature
    if "classes" in described:
        output: str | None = output_of(outputs, described["classes"], described.get("output"))
    else:
        floats = [name for name, spec in outputs.items() if spec.dtype.is_floating]
        output = floats[0] if len(floats) == 1 else None
    reason = obstacle(list(inputs.values())) or (None if output else "several outputs, and no classes")
    return (None, {"SavedModel and ONNX": reason}) if reason else (output, {})


def _meaning(conversion: Conversion, version: Path, output: str, rows: Array) -> Meaning:
    if conversion.image.scores:
        return Meaning(conversion.image.scores, "as given")
    return meaning_of(last_operations(onnx_file(version), output), rows, loss_of(conversion.source))


def _with_scores(described: ModelFile, text: str | None, meaning: Meaning) -> tuple[ModelFile, str | None]:
    """Adds `scores`, unless a file has it or its default, logits, is right."""
    if "scores" in described or (text is not None and meaning.scores == "logits"):
        return described, text
    line = f"scores: {meaning.scores}\n"
    return {**described, "scores": meaning.scores}, None if text is None else f"{text.rstrip()}\n{line}"


def _versions(folder: Path) -> dict[int, Path]:
    """The versions of an earlier conversion by number. Empty if the folder does not exist.

    Raises ValueError for a folder without a SavedModel, which is something else.
    """
    found = {int(entry.name): entry for entry in folder.glob("*") if entry.name.isdigit()}
    if folder.exists() and not any((version / "saved_model.pb").exists() for version in found.values()):
        raise ValueError(f"{folder}: already exists, without a version; use another --name or --out")
    return dict(sorted(found.items()))


def _check_same(versions: dict[int, Path], source: Call, samples: list[Tensors], given: Path) -> None:
    """Raises ValueError if the newest version has other weights than the source: only a push may add a version."""
    newest = list(versions.values())[-1]
    try:
        _compare({"source": source, "version": tensorflow_call(newest)}, samples)
    except ValueError as error:
        raise ValueError(
            f"{newest.parent}: already exists, and its version {newest.name} is another model than {given}: use another"
            " --name or --out, then publish it as the next version: tensorgate models push"
        ) from error


def _build(conversion: Conversion, folder: Path, versions: dict[int, Path]) -> Converted:
    """Writes the model folder."""
    version, parity = folder / str(VERSION), folder / "parity"
    source = open_source(conversion.source)
    signature = source.signature
    described, text = _describe(conversion, signature)
    explained, no_gradients = _explained(source, described)
    source.write(version, explained)
    reader = reader_of(described["image"], signature.inputs) if "image" in described else None
    samples = _samples(parity, reader, described, signature)
    check_repeatable(conversion.source, source.call, samples)
    write_onnx(version)
    if explained is not None:
        no_gradients |= write_explain_onnx(version)
    write_warmup(version, conversion.name)
    difference = _compare(
        {"source": source.call, "SavedModel": tensorflow_call(version), "ONNX": onnx_call(version)}, samples
    )
    if versions:
        _check_same(versions, source.call, samples, conversion.source)
    meaning = None
    if "classes" in described:
        output = output_of(signature.outputs, described["classes"], described.get("output"))
        rows = np.concatenate([tensorflow_call(version)(inputs)[output] for inputs in samples])
        meaning = _meaning(conversion, version, output, rows.reshape(len(rows), -1))
        described, text = _with_scores(described, text, meaning)
        if reader:
            for number, place in (versions or {VERSION: version}).items():
                write_scores(parity, number, _scores_of(place, signature, output), reader)
    if text is None:
        head = CONVERTED.format(name=described["name"]) if "image" in described else ""
        write_model_file(folder / MODEL_FILE, described, head)
    else:
        (folder / MODEL_FILE).write_text(text)
    return Converted(difference, described, meaning, no_gradients)


def _scores_of(version: Path, signature: SignatureSpec, output: str) -> Scores:
    """A function from a tensor to the scores of an exported version."""
    call, (image,) = tensorflow_call(version), signature.inputs
    return lambda tensor: call({image: tensor})[output]


def _is_confirmed(folder: Path, built: Path) -> bool:
    """Whether a person has confirmed the same tensors (`tensorgate models prove`)."""
    files = [parent / "parity" / "tensors.json" for parent in (folder, built)]
    if not all(file.exists() for file in files):
        return False
    old, new = (json.loads(file.read_text()) for file in files)
    hashes = {sample["file"]: sample for sample in new["samples"]}
    same = all(sample.items() <= hashes.get(sample["file"], {}).items() for sample in old["samples"])
    return old.get("source") == "confirmed" and same


def _update(folder: Path, built: Path) -> None:
    """Replaces the parity samples and model.yaml of an earlier conversion. The versions stay."""
    if _is_confirmed(folder, built):
        (built / "parity" / "tensors.json").unlink()
    if (built / "parity").exists():
        shutil.copytree(built / "parity", folder / "parity", dirs_exist_ok=True)
    else:
        shutil.rmtree(folder / "parity", ignore_errors=True)
    (built / MODEL_FILE).replace(folder / MODEL_FILE)


def convert(conversion: Conversion) -> Converted:
    """Writes OUT/NAME with model.yaml, version 1 and parity samples; of an earlier conversion all but the version.

    Raises ValueError, one line, if something is missing, the formats differ, or OUT/NAME is another model. Nothing is
    written in that case.
    """
    check_name(conversion.name)
    folder = conversion.folder
    versions = _versions(folder)
    unfinished = conversion.out / f".{conversion.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        converted = _build(conversion, unfinished, versions)
        if versions:
            _update(folder, unfinished)
        else:
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return converted
