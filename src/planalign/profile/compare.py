"""Two runs side by side: what took longer or shorter than noise explains.

The years of a run measure a model again and again. What both runs have of a model is
aligned by year, so that growth over the years is no difference. A change is told where
the mean of the differences is beyond chance: Student's t at 1 % for the spread of the
differences over the years. Few years may agree by chance, so that the spread counts as
at least `LEAST_PART` of what the model took and `LEAST_SECONDS`, at `SIGMAS` standard
errors. A single year in common tells nothing of the spread: there it counts as
`LEAST_PART_OF_ONE` and `LEAST_SECONDS_OF_ONE`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from planalign.profile.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record

SIGMAS = 3.0
# Two-sided 1 % points of Student's t by degrees of freedom, from 1; then `SIGMAS`.
_STUDENT = (63.66, 9.92, 5.84, 4.60, 4.03, 3.71, 3.50, 3.36, 3.25, 3.17, 3.11, 3.05)
LEAST_PART = 0.1
LEAST_SECONDS = 0.005
LEAST_PART_OF_ONE = 0.25
LEAST_SECONDS_OF_ONE = 0.1
# Of peak memory, which a run has but once.
MEMORY_PART = 0.1
MEMORY_BYTES = 32_000_000
# What makes times of two runs no measure of the models alone.
_CONDITIONS = ("runner", "trajectories", "threads", "cores", "memory_limit_bytes")


@dataclass(frozen=True)
class Change:
    """Seconds of one thing in two runs, year by year, of the years that both have.

    `year` None stands for setup. `difference` is the mean of the second less the first,
    `noise` what it has to exceed to be told.
    """

    name: str
    years: tuple[int | None, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    difference: float
    noise: float

    @property
    def total_difference(self) -> float:
        """Return by how many seconds the second is longer, over all years."""
        return sum(self.after) - sum(self.before)

    @property
    def ratio(self) -> float | None:
        """Return the second as a multiple of the first, over all years; None without a first."""
        return sum(self.after) / sum(self.before) if sum(self.before) else None

    @property
    def is_beyond_noise(self) -> bool:
        """Say whether it changed by more than noise explains."""
        return abs(self.difference) > self.noise


@dataclass(frozen=True)
class Comparison:
    """Two runs: the first, `a`, is what the second, `b`, is measured against.

    `conditions` are name, of a and of b of what is not alike beside the models.
    `models` are those of both, largest change first.
    """

    a: Analysis
    b: Analysis
    conditions: tuple[tuple[str, str, str], ...]
    models: tuple[Change, ...]
    years: Change
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def changed(self) -> tuple[Change, ...]:
        """Return the models that changed by more than noise explains."""
        return tuple(change for change in self.models if change.is_beyond_noise)

    @property
    def is_memory_changed(self) -> bool:
        """Say whether peak memory differs by more than noise explains."""
        first, second = self.a.memory.peak_bytes, self.b.memory.peak_bytes
        if first is None or second is None:
            return False
        return abs(second - first) > max(MEMORY_PART * first, MEMORY_BYTES)


def compare(a: Record, b: Record) -> Comparison:
    """Return what changed from one run to another."""
    first, second = analyse(a), analyse(b)
    models_a, models_b = _by_model(a), _by_model(b)
    both = [
        change
        for name in models_a.keys() & models_b.keys()
        if (change := _change(name, models_a[name], models_b[name])) is not None
    ]
    return Comparison(
        a=first,
        b=second,
        conditions=_conditions(a, b),
        models=tuple(sorted(both, key=lambda one: (-abs(one.total_difference), one.name))),
        years=_change("years", first.seconds_by_year, second.seconds_by_year)
        or Change("years", (), (), (), 0.0, 0.0),
        only_a=tuple(sorted(models_a.keys() - models_b.keys())),
        only_b=tuple(sorted(models_b.keys() - models_a.keys())),
    )


def _by_model(record: Record) -> dict[str, dict[int | None, float]]:
    """Return seconds by model and year, of all blocks; of setup those of one session."""
    found: dict[str, dict[int | None, float]] = defaultdict(lambda: defaultdict(float))
    for model in record.models:
        if model.year is None:
            found[model.name][None] = model.seconds
        else:
            found[model.name][model.year] += model.seconds
    return found


def _change(
    name: str,
    a: Mapping[int, float] | Mapping[int | None, float],
    b: Mapping[int, float] | Mapping[int | None, float],
) -> Change | None:
    years = tuple(sorted(set(a) & set(b), key=lambda year: year or 0))
    if not years:
        return None
    before, after = tuple(a[year] for year in years), tuple(b[year] for year in years)  # type: ignore[index]
    differences = [late - early for early, late in zip(before, after, strict=True)]
    return Change(name, years, before, after, fmean(differences), _noise(before, differences))


def _noise(before: Sequence[float], differences: Sequence[float]) -> float:
    """Return which mean difference chance explains, in seconds a year."""
    number = len(differences)
    if number == 1:
        return SIGMAS * max(LEAST_PART_OF_ONE * before[0], LEAST_SECONDS_OF_ONE)
    student = _STUDENT[number - 2] if number - 2 < len(_STUDENT) else SIGMAS
    least = max(LEAST_PART * fmean(before), LEAST_SECONDS)
    return max(student * stdev(differences), SIGMAS * least) / sqrt(number)


def _conditions(a: Record, b: Record) -> tuple[tuple[str, str, str], ...]:
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in _CONDITIONS]
    pairs.append(("years", (a.first_year, a.last_year), (b.first_year, b.last_year)))
    pairs.extend(
        (name, a.versions.get(name), b.versions.get(name))
        for name in sorted({*a.versions, *b.versions})
    )
    found = [(name, _text(one), _text(two)) for name, one, two in pairs if one != two]
    if bool(a.compile_seconds) != bool(b.compile_seconds):
        found.append(("compiling the dbt project", _compiled(a), _compiled(b)))
    return tuple(found)


def _compiled(record: Record) -> str:
    seconds = record.compile_seconds
    return f"took {seconds:.2f} s" if seconds else "had been done before"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(str(part) for part in value)
    return "unknown" if value is None else str(value)
