"""The machine and the versions that a figure was measured with."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import psutil

from planalign._version import __version__


def describe_machine() -> dict[str, Any]:
    """Return cores, memory and versions, without anything that names the machine."""
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "memory_gigabytes": round(psutil.virtual_memory().total / 2**30, 1),
            "processor": platform.machine(),
        },
        "versions": {
            "planalign": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")},
        },
    }
