"""Where things are kept outside a run: the cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from planalign.errors import EnvironmentFaultError


def cache_folder() -> Path:
    """Return the folder for compiled pipelines and dbt's parse state.

    PLANALIGN_CACHE_DIR, or `planalign` in the user's cache folder (XDG Base
    Directory Specification).

    Raises:
        EnvironmentFaultError: there is no home folder to keep it in.
    """
    named = os.environ.get("PLANALIGN_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        if named:
            return Path(named).expanduser()
        return (Path(base) if base else Path.home() / ".cache") / "planalign"
    except RuntimeError as error:  # neither HOME nor an entry for this user
        raise EnvironmentFaultError(
            "there is no home folder for the cache of compiled models and years",
            "Set PLANALIGN_CACHE_DIR to a folder for it, or HOME.",
        ) from error
