"""The alert that started a training: `tensorgate retrain-hook` puts it into the environment of its command."""

import os
from pathlib import Path

# Of the first alert. The member of the lineage, and its variable.
VARIABLES = {
    "alert": "ALERT_NAME",
    "model": "ALERT_MODEL",
    "version": "ALERT_VERSION",
    "feature": "ALERT_FEATURE",
    "starts_at": "ALERT_STARTS_AT",
}
# All alerts of the run, in the form of Alertmanager's message.
FILE = "ALERTS_FILE"


def cause() -> dict[str, str] | None:
    """The first alert, for a lineage. None if no alert started this training."""
    if not os.environ.get(VARIABLES["alert"]):
        return None
    return {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}


def cause_tags() -> dict[str, str]:
    """The first alert as tags of a run, such as alert.name."""
    known = cause() or {}
    return {"alert.name" if name == "alert" else f"alert.{name}": value for name, value in known.items()}


def alerts_text() -> str | None:
    """The file with all alerts. None without one."""
    file = os.environ.get(FILE)
    return Path(file).read_text() if file else None
