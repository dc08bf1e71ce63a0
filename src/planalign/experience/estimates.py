"""What a fit finds: assumptions with their evidence, cells of tables, and how they compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.experience import credibility
from planalign.experience.credibility import Blend, Standard

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Estimate:
    """A value of the configuration with what it rests on.

    Args:
        key: dotted, as in `planalign.yaml`; a part of it in brackets is a key of a mapping.
        blend: own experience, prior, credibility and interval.
        exposure: persons, person-years or hires that it was seen on.
        events: of these, how many it happened to; None of a mean.
        error: standard error of the value in a year to come, for draws of it: sampling,
            and what years differ by beyond that.
        note: what has to be known beside it, a sentence.

    """

    key: str
    blend: Blend
    exposure: float
    events: float | None = None
    error: float = 0.0
    note: str = ""

    @property
    def value(self) -> float:
        """What is written into the study, before it is rounded."""
        return self.blend.blended

    def as_dict(self) -> dict[str, Any]:
        """Return the estimate as the object that `--json` prints."""
        return {
            "key": self.key,
            "value": rounded(self.value),
            "exposure": rounded(self.exposure, 3),
            "events": rounded(self.events, 3),
            **_of(self.blend),
            "standard_error": rounded(self.error),
            "note": self.note,
        }


@dataclass(frozen=True)
class Cell:
    """One class of one dimension: what happened there, against what was expected.

    Args:
        assumption: `termination`, `promotion`, ...
        dimension: `age_band`, `tenure_band`, `job_level`, `department`, `year`, ...
        cell: name of the class.
        exposure: person-years.
        events: that happened, or the sum of what is averaged.
        expected: by the table in force at the company's own level.
        blend: of the rate per person-year; None of what is only compared.
        interval: of the own rate, with probability `CONFIDENCE`; None without.

    """

    assumption: str
    dimension: str
    cell: str
    exposure: float
    events: float
    expected: float
    blend: Blend | None
    interval: tuple[float, float] | None = None

    @property
    def own(self) -> float | None:
        """The rate that was seen, per person-year; None without any."""
        return self.events / self.exposure if self.exposure else None

    @property
    def prior(self) -> float | None:
        """The rate that was expected; None without person-years."""
        return self.expected / self.exposure if self.exposure else None

    @property
    def actual_to_expected(self) -> float | None:
        """Events over those expected; None where none are."""
        return self.events / self.expected if self.expected > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as the object that `--json` prints."""
        return {
            "assumption": self.assumption,
            "dimension": self.dimension,
            "cell": self.cell,
            "exposure": rounded(self.exposure, 3),
            "events": rounded(self.events, 3),
            "expected": rounded(self.expected, 3),
            "actual_to_expected": rounded(self.actual_to_expected, 4),
            "own": rounded(self.own),
            "prior": rounded(self.prior),
            "credibility": None if self.blend is None else rounded(self.blend.credibility, 4),
            "blended": None if self.blend is None else rounded(self.blend.blended),
            "interval": None if self.interval is None else [rounded(one) for one in self.interval],
        }


def _of(blend: Blend) -> dict[str, Any]:
    interval = None if blend.low is None else [rounded(blend.low), rounded(blend.high)]
    return {
        "own": rounded(blend.own),
        "prior": rounded(blend.prior),
        "credibility": rounded(blend.credibility, 4),
        "blended": rounded(blend.blended),
        "interval": interval,
    }


def rounded(value: float | None, places: int = 6) -> float | None:
    """Return a number with at most so many decimals; no -0."""
    return None if value is None else round(value, places) + 0.0


# What orders the classes of a dimension: by what they begin with.
_ORDER = {
    "age_band": "min(age)",
    "tenure_band": "min(tenure)",
    "age_and_tenure": "min(age), min(tenure)",
}


def compared(
    connection: duckdb.DuckDBPyConnection,
    assumption: str,
    dimension: str,
    standard: Standard | None = None,
    expression: str = "",
    *,
    are_counts: bool = True,
) -> tuple[list[Cell], dict[str, float]]:
    """Compare events with those expected, by the classes of a dimension.

    Reads the table `compared`, one row per person and year with `actual` and `expected`.
    With a standard, what is expected there is multiplied by each class's blended ratio,
    so that the next dimension finds what this one has not explained.

    Args:
        connection: with the table.
        assumption: whose name the cells have.
        dimension: whose name they have.
        standard: of full credibility; None to compare and change nothing.
        expression: what tells the class of a row, if not the column of that name.
        are_counts: whether `actual` counts people, each once at most.

    Returns:
        The cells, and the factor of each class.

    """
    by = expression or dimension
    rows = connection.execute(
        # Names and expressions are ours.
        f"select cast({by} as varchar), count(*), sum(actual), sum(expected) "  # noqa: S608
        f"from compared where {by} is not null group by {by} "
        f"order by {_ORDER.get(dimension, by)}"
    ).fetchall()
    cells, factors = [], {}
    for name, exposure, actual, expected in rows:
        blend = None
        interval = (
            credibility.wilson(actual, exposure)
            if are_counts
            else tuple(end / exposure for end in credibility.byar(actual))
        )
        if standard is not None:
            of_ratio = credibility.ratio(actual, expected, 1.0, standard)
            factors[name] = of_ratio.blended
            prior = expected / exposure
            blend = (
                Blend(actual / exposure, prior, of_ratio.credibility, *interval)
                # Nothing is expected there: nobody is exposed to it.
                if expected > 0
                else Blend(None, 0.0, 0.0, None, None)
            )
        cells.append(Cell(assumption, dimension, name, exposure, actual, expected, blend, interval))
    if factors:
        connection.execute(
            "create or replace temp table factors as "
            "select unnest($names)::varchar as class, unnest($factors)::double as factor",
            {"names": list(factors), "factors": list(factors.values())},
        )
        connection.execute(
            f"update compared set expected = expected * factor from factors "  # noqa: S608
            f"where cast({by} as varchar) = factors.class"
        )
    return cells, factors
