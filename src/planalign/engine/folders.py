"""Where things are kept outside a run: the cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for compiled pipelines and dbt's parse state.

    PLANALIGN_CACHE_DIR, or `planalign` in the user's cache folder (XDG Base
    Directory Specification).
    """
    named = os.environ.get("PLANALIGN_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "planalign"
