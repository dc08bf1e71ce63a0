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
# Below this a model's time is mostly planning, which varies more than that.
_SECONDS = 0.02


def regressions(old: Path, new: Mapping[str, Any]) -> list[str]:
    """Return the figures and models that are worse than in `old` by more than noise.

    A model is compared with what its year has become: a slower machine makes every
    model slower, a regression one of them.

    Raises:
        InputError: `old` is no result of `planalign bench --json`.
    """
    try:
        earlier_result = json.loads(old.read_text(encoding="utf-8"))
        before = {goal["name"]: goal for goal in earlier_result["goals"]}
        workloads = {_name(found): found for found in earlier_result["workloads"]}
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
    for workload in new["workloads"]:
        earlier = workloads.get(_name(workload))
        if earlier is not None:
            found += _slower_models(earlier, workload)
    return found


def _name(workload: Mapping[str, Any]) -> str:
    options = "".join(f" {option}" for option in workload["options"])
    return (
        f"{workload['runner']}, {workload['employees']:,} employees x {workload['seeds']} seeds "
        f"x {workload['years']} years{options}"
    )


def _slower_models(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    drift = max(1.0, new["seconds_per_year"] / old["seconds_per_year"])
    return [
        f"{_name(new)}: {model} took {before:.3f} s a year before, {seconds:.3f} s now"
        for model, seconds in new["model_seconds"].items()
        if (before := old["model_seconds"].get(model)) is not None
        and seconds > _SECONDS
        and seconds > before * drift * (1 + NOISE)
    ]
