"""model.yaml is read as the gateway reads it: its card.test.ts and signatures.test.ts have the same cases."""

from pathlib import Path

import pytest
import tensorflow as tf

from training.model_file import SignatureSpec, output_of, read_model_file

PAIR, THREE = ["bee", "wasp"], ["a", "b", "c"]


def _specs(**shapes: list[int | None] | None) -> dict[str, tf.TensorSpec]:
    return {name: tf.TensorSpec(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        ([None], ["price"]), ([None, 1], ["price"]), ([None, 1, 1], ["price"]), ([None, 3], THREE),
        ([None, 3, 1, 1], THREE), ([None, 1, 3], THREE), ([None, None], THREE), (None, THREE),
        ([None, 1], PAIR), ([None], PAIR), ([None, 2], PAIR),
    ],
)  # fmt: skip
def test_f26_an_output_fits_by_its_numbers(shape: list[int | None] | None, classes: list[str]) -> None:
    """Axes of length 1 do not count, and two classes may share a number."""
    assert output_of(_specs(y=shape), classes, None) == "y"


@pytest.mark.parametrize(
    ("shape", "classes"), [([None, 2, 5], list("abcdefghij")), ([None], THREE), ([None, 4], THREE), ([], ["price"])]
)
def test_f26_other_outputs_are_refused(shape: list[int | None], classes: list[str]) -> None:
    """Two axes of numbers, another number, no batch axis."""
    with pytest.raises(ValueError, match="need one output of shape"):
        output_of(_specs(y=shape), classes, None)


def test_f26_an_output_is_chosen_by_name_or_by_two_numbers() -> None:
    """Among outputs that fit equally well a name is needed."""
    heads = _specs(logits=[None, 2], probabilities=[None, 2])
    assert output_of(heads, PAIR, "logits") == "logits"
    with pytest.raises(ValueError, match=r"add --output logits\|probabilities"):
        output_of(heads, PAIR, None)
    assert output_of(_specs(one=[None, 1], two=[None, 2]), PAIR, None) == "two"


def test_a2_names_are_the_text_of_the_file(tmp_path: Path) -> None:
    """YAML would make numbers and booleans of them."""
    names = ["00000", "08", "1e3", "4006381333931000001", "True", "no", "null", "~", "0x1F", ".inf", "-0", "2024-01-31"]
    (tmp_path / "model.yaml").write_text(f"name: 007\noutput: 1.0\nclasses: [{', '.join(names)}]\n")
    signature = SignatureSpec({}, {"1.0": tf.TensorSpec([None, len(names)])})
    described = read_model_file(tmp_path / "model.yaml", "007", signature)
    assert described == {"name": "007", "output": "1.0", "classes": names}
