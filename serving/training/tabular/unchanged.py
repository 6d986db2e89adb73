"""Tells whether a model folder already holds what would be written to it."""

from pathlib import Path

# TensorFlow writes a random number into the one, and numbers functions by their order in the process in the other. The
# same graph as ONNX has the same bytes every time.
VARYING = ("fingerprint.pb", "saved_model.pb")


def is_unchanged(folder: Path, draft: Path) -> bool:
    """Whether every file of the draft is in the folder with the same bytes, apart from varying ones."""
    for new in draft.rglob("*"):
        old = folder / new.relative_to(draft)
        if new.is_file() and not (old.is_file() and (new.name in VARYING or new.read_bytes() == old.read_bytes())):
            return False
    return True
