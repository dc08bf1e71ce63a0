"""Set a benchmark result beside an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, PositiveFloat, ValidationError

from planalign.errors import InputError, Problem
from planalign.files import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Shared machines are noisy: medians of the same code differ by up to a fifth.
NOISE = 0.25
# Below this a model's time is mostly planning, which varies more than that.
_SECONDS = 0.02


class _Goal(BaseModel):
    name: str
    figure: float


class _Workload(BaseModel):
    runner: str
    employees: int
    seeds: int
    years: int
    options: list[str]
    seconds_per_year: PositiveFloat
    model_seconds: dict[str, float]


class _Result(BaseModel):
    goals: list[_Goal]
    workloads: list[_Workload]


def read_result(path: Path) -> Mapping[str, Any]:
    """Read what `planalign bench --json` wrote, as far as it is compared.

    Raises:
        InputError: it is none.
    """
    remedy = "Name a file that `planalign bench --json` wrote."
    try:
        return _Result.model_validate(read_object(path)).model_dump()
    except ValidationError as error:
        problems = [
            Problem(one["msg"], remedy, str(path), column=".".join(map(str, one["loc"])))
            for one in error.errors()
        ]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems = [Problem(reason, remedy, str(path))]
    raise InputError("the earlier result cannot be read", problems)


def regressions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the figures and models that are worse than in `old` by more than noise.

    A model is compared with what its year has become: a slower machine makes every
    model slower, a regression one of them.

    Args:
        old: a result as `read_result` returns it.
        new: a result of now.
    """
    before = {goal["name"]: goal for goal in old["goals"]}
    workloads = {_name(found): found for found in old["workloads"]}
    found = []
    for goal in new["goals"]:
        earlier = before.get(goal["name"])
        if earlier is None or not earlier["figure"]:
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
