"""The origin of a run: the commit of this code and its environment."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from .cause import cause

HERE = Path(__file__).parent


class Commit(NamedTuple):
    """The commit of the training code. `dirty`: the code has uncommitted changes."""

    id: str | None
    dirty: bool


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(HERE), *arguments], check=False, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit() -> Commit:
    """The checked-out commit; in an image, which has no repository, that of GIT_COMMIT. The id is None without both."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return Commit(os.environ.get("GIT_COMMIT") or None, dirty=False)
    # Check only this folder: a pushed model changes the working tree, but not the training code.
    return Commit(head, bool(head and _git("status", "--porcelain", ".")))


def _device() -> str:
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in _gpus()]
    return ", ".join(names) or "CPU"


def _gpus() -> list[tf.config.PhysicalDevice]:
    return list(tf.config.list_physical_devices("GPU"))


def environment() -> dict[str, str]:
    """Versions, platform and device, which can also affect results."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": version("keras"),
        "numpy": version("numpy"),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": _device(),
    }


def lineage(run_id: str, settings: Mapping[str, Any], data_sha256: str) -> dict[str, Any]:
    """The lineage of a version: run, commit, data, settings, environment, and the alert that caused it if there is one.

    `seed` is None for unseeded runs.
    """
    code, alert = commit(), cause()
    return {
        "run_id": run_id,
        "commit": code.id,
        "dirty": code.dirty,
        "data_sha256": data_sha256,
        "seed": settings.get("seed"),
        "settings": dict(settings),
        "environment": environment(),
        **({"cause": alert} if alert else {}),
    }
