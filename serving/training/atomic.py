"""Files that are whole or not there: written beside their place, forced to the disk, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, of the same ending, that takes the place of `path` when the block ends without an error."""
    unfinished = path.with_name(f".{path.name}")
    yield unfinished
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(path)
