"""Set a benchmark result beside an earlier one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Shared machines are noisy: medians of the same code differ by up to a fifth.
NOISE = 0.25


def regressions(old: Path, new: Mapping[str, Any]) -> list[str]:
    """Return the figures that are worse than in `old` by more than noise.

    Raises:
        InputError: `old` is no result of `planalign bench --json`.
    """
    try:
        before = {goal["name"]: goal for goal in json.loads(old.read_text())["goals"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the earlier result cannot be read",
            [Problem(str(error), "Name a file that `planalign bench --json` wrote.", str(old))],
        ) from error
    found = []
    for goal in new["goals"]:
        earlier = before.get(goal["name"])
        if earlier is None:
            continue
        ratio = goal["figure"] / earlier["figure"]
        if (1 / ratio if goal["at_least"] else ratio) > 1 + NOISE:
            found.append(
                f"{goal['name']}: {earlier['figure']:.3f} before, {goal['figure']:.3f} now"
            )
    return found
