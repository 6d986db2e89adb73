"""F28: which model a data set trains."""

from pathlib import Path

import pytest

from training.names import name_of, write_candidate_file

CLASSES = ("bee", "wasp")


def _model(models: Path, name: str, classes: str) -> Path:
    (models / name).mkdir(parents=True)
    (models / name / "model.yaml").write_text(f"# mine\nname: {name}\nimage: {{size: [8, 8]}}\nclasses: [{classes}]\n")
    return models


def test_a_new_model_is_called_like_the_folder_of_its_photos(tmp_path: Path) -> None:
    """Another name can be given."""
    models = _model(tmp_path / "models", "clothes", "hat, shoes")
    assert name_of(tmp_path / "my-photos", CLASSES, models) == "my-photos"
    assert name_of(tmp_path / "my-photos", CLASSES, models, "insects") == "insects"


def test_a_model_with_the_same_classes_gets_the_next_version(tmp_path: Path) -> None:
    """If there are several, one has to be chosen."""
    models = _model(tmp_path / "models", "insects", "bee, wasp")
    assert name_of(tmp_path / "photos", CLASSES, models) == "insects"
    _model(models, "others", "bee, wasp")
    with pytest.raises(ValueError, match=r"insects and others have the classes of .*: choose one with --name"):
        name_of(tmp_path / "photos", CLASSES, models)


def test_a_name_of_a_model_with_other_classes_is_refused(tmp_path: Path) -> None:
    """A version cannot change the classes that clients know. Names are text."""
    models = _model(tmp_path / "models", "insects", "bee, wasp, fly")
    with pytest.raises(ValueError, match="insects: has the classes bee, wasp, fly, not bee, wasp: choose another name"):
        name_of(tmp_path / "photos", CLASSES, models, "insects")
    _model(models, "codes", "00000, 08")
    assert name_of(tmp_path / "photos", ("00000", "08"), models) == "codes"
    with pytest.raises(ValueError, match="--name with space: use letters"):
        name_of(tmp_path / "photos", CLASSES, models, "with space")


def test_a_known_model_keeps_its_model_yaml(tmp_path: Path) -> None:
    """With its comments. A new one has the classes in quotes."""
    models = _model(tmp_path / "models", "insects", "bee, wasp")
    write_candidate_file(tmp_path, "insects", CLASSES, models)
    assert (tmp_path / "model.yaml").read_text().startswith("# mine\n")
    write_candidate_file(tmp_path, "new", CLASSES, models)
    assert 'classes: ["bee", "wasp"]\nscores: logits\n' in (tmp_path / "model.yaml").read_text()
