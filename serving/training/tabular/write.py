"""Writes the model folder of a definition, unless the folder holds the same model already."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..origin import lineage
from ..settings import VERSION
from .definition import Definition
from .folder import write_evaluation, write_version
from .record import open_run
from .unchanged import is_unchanged


def _described(given: Definition, folder: Path, figures: dict[str, Any], run_lineage: dict[str, Any]) -> dict[str, Any]:
    """The evaluation of the version in a folder."""
    return {
        "version": VERSION,
        "model": given.name,
        "architecture": given.architecture,
        "about": given.about,
        "lineage": run_lineage,
        **given.results(folder / str(VERSION)),
        **figures,
    }


def _known(folder: Path, given: Definition) -> dict[str, Any] | None:
    """The evaluation in the folder if writing the model again would change nothing.

    The run, its environment and what depends on the machine (the size of a random number, rounding) do not count.
    """
    file = folder / "evaluation" / f"{VERSION}.json"
    evaluation: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    recorded = evaluation.get("lineage", {})
    if recorded.get("data_sha256") != given.data_sha256 or recorded.get("settings") != given.settings:
        return None
    with TemporaryDirectory() as scratch:
        draft = Path(scratch) / given.name
        figures = write_version(draft, given.network, given.samples, given.fields, given.held_out)
        measured: dict[str, Any] = {name: evaluation.get(name) for name in ("sizes", "difference")}
        write_evaluation(draft, _described(given, draft, {**figures, **measured}, recorded))
        return evaluation if is_unchanged(folder, draft) else None


def make(given: Definition, models: Path, work: Path) -> dict[str, Any]:
    """Exports a model, checks it on its samples, records and registers it. Returns its evaluation.

    A folder that holds the same model already stays as it is.
    """
    folder = models / given.name
    known = _known(folder, given)
    if known is not None:
        return known
    with open_run(given.name, given.settings, given.data_sha256, work) as run:
        figures = write_version(folder, given.network, given.samples, given.fields, given.held_out)
        run_lineage = lineage(run.run_id, given.settings, given.data_sha256)
        evaluation = _described(given, folder, figures, run_lineage)
        write_evaluation(folder, evaluation)
        run.log_evaluation(evaluation, [])
        run.register(folder, folder / str(VERSION), "champion")
    return evaluation
