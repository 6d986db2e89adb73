"""What `python -m training.tabular` writes: models that are defined by published numbers or by seeded data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .folder import Samples
from .network import Columns, Network


class Definition(NamedTuple):
    """A model with its parity samples. The same definition always gives the same model."""

    name: str
    about: str
    architecture: str
    network: Network
    samples: Samples
    settings: dict[str, Any]
    data_sha256: str
    # The fields of the evaluation that tell how good the version in a folder is.
    results: Callable[[Path], dict[str, Any]]
    # Lines of model.yaml beside name and signature.
    fields: str = ""
    # Rows that the model was not fitted to, for its baseline. None: there are no data.
    held_out: Columns | None = None
