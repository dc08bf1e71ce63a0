"""What a configuration lets a run use of the machine, alone or as one of several processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from planalign.engine.database import Settings

if TYPE_CHECKING:
    from planalign.config import Config
    from planalign.config.models import Resources


def settings_of(config: Config) -> Settings:
    """Return what a configuration lets a run use of the machine."""
    resources = config.resources
    return Settings(threads_of(resources), resources.memory_limit, resources.models_at_once)


def threads_of(resources: Resources) -> int:
    """Return how many threads there are: `auto` are as many as cores."""
    threads = resources.threads
    return len(os.sched_getaffinity(0)) if threads == "auto" else int(threads)


def share_of(resources: Resources, workers: int) -> Resources:
    """Return what each of several workers may use, so that they and the parent fit together.

    The parent merges what they compute, and takes as much memory as one of them.
    """
    return resources.model_copy(
        update={
            "threads": max(1, threads_of(resources) // workers),
            "memory_limit": _amount(resources.memory_bytes // (workers + 1)),
            "workers": 1,
        }
    )


def of_a_cluster(resources: Resources) -> Resources:
    """Return what each block may use on a machine that is not ours: one thread, unless said."""
    threads = 1 if resources.threads == "auto" else resources.threads
    return resources.model_copy(update={"threads": threads, "workers": 1})


def _amount(size: int) -> str:
    """Return bytes as a configuration may say them, rounded down."""
    unit, name = (10**9, "GB") if size >= 10**9 else (10**6, "MB")
    return f"{size * 1000 // unit / 1000:.3f}{name}"
