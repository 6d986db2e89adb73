"""Atomic file replacement: write to a temporary file in the same folder, fsync, rename."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary file with the same suffix, which replaces `path` if the block ends without an error."""
    unfinished = path.with_name(f".{path.name}")
    yield unfinished
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(path)
