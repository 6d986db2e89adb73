"""Writes JSON that is easy to read and diff: values that fit on one line, and rows of numbers, stay on one line."""

import json
from pathlib import Path
from typing import Any

from .atomic import replacing

WIDTH = 120


def _only_numbers(value: dict[str, Any] | list[Any]) -> bool:
    members = value.values() if isinstance(value, dict) else value
    return all(isinstance(member, int | float) for member in members)


def _laid_out(value: Any, indent: int, taken: int) -> str:
    """The text of a value. `taken` is the number of columns already used in its line, including the comma after it."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or _only_numbers(value) or taken + len(line) <= WIDTH:
        return line
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        keys = [f"{pad}{json.dumps(key, ensure_ascii=False)}: " for key in value]
        opening, closing, members = "{", "}", list(value.values())
    else:
        keys = [pad] * len(value)
        opening, closing, members = "[", "]", value
    rows = [key + _laid_out(member, indent + 2, len(key) + 1) for key, member in zip(keys, members, strict=True)]
    return opening + "\n" + ",\n".join(rows) + "\n" + " " * indent + closing


def write_json(path: Path, value: object) -> None:
    """Replaces the file atomically. Indents by two and keeps lines within 120 columns where possible."""
    with replacing(path) as unfinished:
        unfinished.write_text(_laid_out(value, 0, 0) + "\n")
