"""Which model a data set trains, and the model.yaml of its candidate."""

from pathlib import Path

import yaml

from .model_file import ModelFile, check_name, write_model_file
from .pictures import PILLOW
from .settings import INPUT, SIDE, SIGNATURE

MODEL_FILE = "model.yaml"
# How data.py reads a photo.
IMAGE = {
    "input": INPUT, "size": [SIDE, SIDE], "resize": "nearest", "engine": "pillow", "fit": "stretch", "scale": "tf",
    "color": "rgb", "layout": "NHWC", "pillow": PILLOW,
}  # fmt: skip
HEAD = "# How the gateway reads a photo: as training did, in serving/training/data.py.\n"


def _classes_of(model_folder: Path) -> tuple[str, ...] | None:
    """The classes of a model of pictures, as text. None for other models."""
    file = model_folder / MODEL_FILE
    described = yaml.load(file.read_text(), yaml.BaseLoader) if file.exists() else None
    return tuple(described.get("classes", ())) if isinstance(described, dict) and "image" in described else None


def name_of(data: Path, classes: tuple[str, ...], models: Path, given: str | None = None) -> str:
    """The name of the model: the given one, else of the model in MODELS with these classes, else of the data's folder.

    Raises ValueError if a model of this name has other classes, or if several have these.
    """
    alike = sorted(file.parent.name for file in models.glob(f"*/{MODEL_FILE}") if _classes_of(file.parent) == classes)
    if given is None and len(alike) > 1:
        raise ValueError(f"{' and '.join(alike)} have the classes of {data}: choose one with --name")
    name = given or (alike[0] if alike else data.resolve().name)
    check_name(name)
    other = _classes_of(models / name) if (models / name).exists() else classes
    if other != classes:
        has = f"the classes {', '.join(other)}" if other else "no pictures"
        hint = "choose another name with --name, or --model-name of the pipeline"
        raise ValueError(f"{models / name}: has {has}, not {', '.join(classes)}: {hint}")
    return name


def write_candidate_file(folder: Path, name: str, classes: tuple[str, ...], models: Path) -> None:
    """Writes model.yaml: a copy of that of the model in MODELS, or a new one."""
    known = models / name / MODEL_FILE
    if known.exists():
        (folder / MODEL_FILE).write_text(known.read_text())
        return
    described: ModelFile = {"name": name, "signature": SIGNATURE, "image": IMAGE, "classes": list(classes)}
    write_model_file(folder / MODEL_FILE, {**described, "scores": "logits"}, HEAD)
