"""The sections of planalign.yaml as frozen models: each key is declared here, and only here.

How it is read says its range, its columns and whether it may be given by year; its
description stands in the file, on the page of the keys, at the columns and in forms,
with `{values}` for the range or the words (see `declarations`).

Rates are fractions (0.03 is three percent) held as exact decimals. A default
without a source named beside it is an assumption to start from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from planalign.config.frozen import FrozenDict
from planalign.config.lists import band_places, highest, multipliers
from planalign.config.scalars import (
    as_json,
    fault,
    matching,
    month_day,
    number,
    one_of,
    optional,
    whole,
)
from planalign.config.schedule import (
    ByYear,
    ByYearAndLevel,
    Faults,
    Read,
    Setting,
    by_year,
    by_year_and_level,
    change_years,
    single,
    value_at,
)
from planalign.config.weights import (
    OLDEST,
    YOUNGEST,
    AgeBand,
    of_each_level,
    parse_band,
    weight,
    weights_by_age,
    weights_by_level,
    weights_by_month,
)

Alignment = Literal["expected", "exact"]
Promotions = Literal["vacancies", "rates"]
HireLevels = Literal["restore", "weights"]
Months = Annotated[tuple[Decimal, ...], single(weights_by_month)]

FIRST_YEAR, LAST_YEAR, MOST_YEARS = 1950, 2150, 100
study_year = whole(FIRST_YEAR, LAST_YEAR, "year")

_SHARE = by_year(number("0", "1", "0.12"))
_ADJUSTMENT = by_year_and_level(number("-0.5", "1", "0.025"))
_rating_name = matching(
    "[a-z0-9_]{1,64}",
    "is not a name of a rating",
    "Use lower-case letters, digits and underscores, for example exceeds",
)


def _months(*weights: float) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(weight)) for weight in weights)


class Section(BaseModel):
    """A mapping of the configuration: known keys only, and nothing changes later."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, data: Any) -> Any:
        """Read a key with nothing after it as a section of defaults."""
        return {} if data is None else data


class Simulation(Section):
    """Which years are simulated, how often, and from which seed."""

    start_year: Annotated[
        int, single(study_year), Field(description="First simulated year, {values}.")
    ] = 2025
    end_year: Annotated[
        int,
        single(study_year),
        Field(
            description="Last simulated year, {values}: not before the first, and at most "
            f"{MOST_YEARS} years in all."
        ),
    ] = 2029
    random_seed: Annotated[
        int,
        single(whole(0, 2**62)),
        Field(
            description="What every random draw is derived from, {values}. The same seed gives "
            "the same result."
        ),
    ] = 42
    replicates: Annotated[
        int,
        single(whole(1, 100_000, "replicates")),
        Field(
            description="How often each scenario is simulated, {values}: replicate k uses the "
            "seed `random_seed` + k."
        ),
    ] = 1

    @field_validator("end_year")
    @classmethod
    def _after_start(cls, end: int, info: ValidationInfo) -> int:
        start = info.data.get("start_year", end)
        if end < start:
            raise fault(f"is before start_year {start}", f"Write {start} or a later year")
        if end - start >= MOST_YEARS:
            last = start + MOST_YEARS - 1
            raise fault(f"is more than {MOST_YEARS} years of simulation", f"Write at most {last}")
        return end

    @property
    def years(self) -> range:
        """The simulated years, ascending."""
        return range(self.start_year, self.end_year + 1)


class Hiring(Section):
    """Who is hired: weights over level, age and month, and the pay offered.

    `load` and `parse` fill `level_weights` with one for each job level of the study.
    """

    levels: Annotated[
        ByYear[HireLevels],
        by_year(one_of(HireLevels)),
        Field(
            description="Which job levels are hired into: those that [restore]"
            "(../method/hires.md#levels) the shares that they have in the census (`restore`), or "
            "by `level_weights` (`weights`)."
        ),
    ] = "restore"
    level_weights: Annotated[
        Mapping[int, Decimal] | None,
        Read(optional(weights_by_level), check=of_each_level),
        Field(
            description="With levels `weights`, and refused without: relative weights of the job "
            "levels among hires, {values}, for example `{1: 0.6, 2: 0.4}`; a level that is left "
            "out gets no hires. `null`: the `hire_share` of each level."
        ),
    ] = None
    age_weights: Annotated[
        Mapping[str, Decimal],
        single(weights_by_age),
        Field(
            description="Relative weights of age bands among hires, {values}; ages are "
            f"inclusive, from {YOUNGEST} to {OLDEST}, and bands do not overlap."
        ),
    ] = FrozenDict(
        {
            "18-24": Decimal("0.20"),
            "25-34": Decimal("0.38"),
            "35-44": Decimal("0.23"),
            "45-54": Decimal("0.13"),
            "55-64": Decimal("0.06"),
        }
    )
    month_weights: Annotated[
        Months,
        Field(
            description="Relative weights of the months in which hires start, January first, "
            "{values}."
        ),
    ] = _months(*[1] * 12)
    pay_percentile_low: Annotated[
        ByYear[Decimal],
        by_year(number("0", "1", "0.2")),
        Field(
            title="Lowest pay percentile",
            description="Lowest place of a hire's pay in the pay range of the level, as a "
            "fraction, {values}.",
        ),
    ] = Decimal("0.20")
    pay_percentile_high: Annotated[
        ByYear[Decimal],
        by_year(number("0", "1", "0.8")),
        Field(
            title="Highest pay percentile",
            description="Highest place of a hire's pay in the pay range of the level, as a "
            "fraction, {values}; not below `pay_percentile_low`.",
        ),
    ] = Decimal("0.80")

    @field_validator("level_weights")
    @classmethod
    def _looked_at(
        cls, weights: Mapping[int, Decimal] | None, info: ValidationInfo
    ) -> Mapping[int, Decimal] | None:
        levels = info.data.get("levels", "weights")
        ways = levels.values() if isinstance(levels, Mapping) else [levels]
        shares = (info.context or Setting()).hire_shares
        # Those of the levels themselves are filled in where none are given.
        if "weights" not in ways and shares is not None and weights not in (None, shares):
            message = "has no effect while levels is restore"
            raise fault(message, "Write levels: weights beside it, or leave it out")
        return weights

    @field_validator("pay_percentile_high")
    @classmethod
    def _not_below_low(cls, high: ByYear[Decimal], info: ValidationInfo) -> ByYear[Decimal]:
        low = info.data.get("pay_percentile_low")
        if low is None:
            return high
        # A year that only one of the two covers is refused on its own account.
        years = change_years(low, high)
        for year in years or [FIRST_YEAR]:
            least = value_at(low, year)
            if value_at(high, year) < least:
                when = f" in {year}" if years else ""
                message = f"is below pay_percentile_low{when}, which is {least}"
                raise fault(message, "Raise it, or lower pay_percentile_low")
        return high

    @property
    def weight_of_levels(self) -> Mapping[int, Decimal]:
        """The weight of each job level of the study, the lowest first.

        Raises:
            LookupError: the study's job levels could not be read when it was loaded.

        """
        if self.level_weights is None:
            raise LookupError("the job levels of the study are not known")
        return self.level_weights

    @property
    def age_bands(self) -> tuple[tuple[AgeBand, Decimal], ...]:
        """The age bands with their weights, youngest first."""
        return tuple((parse_band(key), share) for key, share in self.age_weights.items())


class Workforce(Section):
    """Growth, turnover, promotion and hiring."""

    target_growth_rate: Annotated[
        ByYear[Decimal],
        by_year(number("-1", "3", "0.03")),
        Field(description="Growth of the headcount over a year, {values}."),
    ] = Decimal("0.03")
    total_termination_rate: Annotated[
        ByYear[Decimal],
        _SHARE,
        Field(
            description="Share of the employees at the start of a year who leave in it, {values}."
        ),
    ] = Decimal("0.12")
    # Below one: hires who all leave could never reach the target headcount.
    new_hire_termination_rate: Annotated[
        ByYear[Decimal],
        by_year(number("0", "1", "0.25", below=True)),
        Field(
            description="Share of the hires who leave within a year of being hired, {values}: in "
            "the year of hire, [the part of it]"
            "(../method/terminations.md#of-hires) that is left of the year.",
        ),
    ] = Decimal("0.25")
    promotion_rate: Annotated[
        ByYear[Decimal],
        _SHARE,
        Field(
            description="Share of the employees at the start of a year who are promoted, {values}; "
            "with promotions `vacancies`, who would be if there is room."
        ),
    ] = Decimal("0.04")
    promotions: Annotated[
        ByYear[Promotions],
        by_year(one_of(Promotions)),
        Field(
            description="What limits promotions: `vacancies` ([the room]"
            "(../method/promotions-and-raises.md#vacancies) that the level above has, by its share "
            "of the employees of the census) or nothing but the `promotion_rate` (`rates`)."
        ),
    ] = "vacancies"
    alignment: Annotated[
        ByYear[Alignment],
        by_year(one_of(Alignment)),
        Field(
            description="How the rates are met: `expected` "
            "([on average over seeds](../method/hazards.md#alignment)) or `exact` (to the "
            "employee)."
        ),
    ] = "expected"
    hiring: Hiring = Hiring()


class PerformanceRating(Section):
    """A performance rating: who gets it and what it does to the merit raise."""

    rating: Annotated[
        str,
        single(_rating_name),
        Field(description="Name, of lower-case letters, digits and underscores."),
    ]
    share: Annotated[
        Decimal,
        single(weight),
        Field(description="Relative weight of the employees who get it, {values}."),
    ]
    multiplier: Annotated[
        Decimal | tuple[Decimal, ...],
        single(multipliers),
        Field(
            description="How many times the average merit raise it earns, {values}, above 0 for "
            "one rating with a share; or a list of it, for pay below the first of the "
            "`merit_positions`, from each of them on. Scaled so that `merit_budget` is met."
        ),
    ]
    promotion_factor: Annotated[
        Decimal,
        single(number("0", "100", "1", "times")),
        Field(
            description="How many times as likely as others it is promoted, {values}, above 0 for "
            "one rating with a share; `promotion_rate` stays what it is."
        ),
    ] = Decimal(1)

    def multiplier_at(self, position: int) -> Decimal:
        """Return the multiplier of a position in the band, the lowest of which is 0."""
        if isinstance(self.multiplier, tuple):
            return self.multiplier[position]
        return self.multiplier


def _rating(name: str, share: str, *multiplier: str) -> PerformanceRating:
    multipliers = tuple(map(Decimal, multiplier))
    return PerformanceRating(
        rating=name,
        share=Decimal(share),
        multiplier=multipliers if len(multipliers) > 1 else multipliers[0],
    )


def _ratings(value: object) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(value)
    raise fault("must be a list of ratings", "Write a list of {rating, share, multiplier}")


class Compensation(Section):
    """Raises: how much, when, and for whom."""

    cola_rate: Annotated[
        ByYearAndLevel[Decimal],
        _ADJUSTMENT,
        Field(
            title="COLA rate",
            description="Raise that everybody gets, as a fraction of pay, {values}.",
        ),
    ] = Decimal(0)
    merit_budget: Annotated[
        ByYearAndLevel[Decimal],
        by_year_and_level(number("0", "1", "0.03")),
        Field(description="Merit raises on average, as a fraction of pay, {values}."),
    ] = Decimal("0.03")
    promotion_increase: Annotated[
        ByYearAndLevel[Decimal],
        by_year_and_level(number("0", "2", "0.15")),
        Field(
            description="Raise that comes with a promotion, as a fraction of pay, {values}; the "
            "level is the one left."
        ),
    ] = Decimal("0.09")
    market_adjustment: Annotated[
        ByYearAndLevel[Decimal],
        _ADJUSTMENT,
        Field(
            description="Movement in the year of the pay ranges that hires are offered, {values}."
        ),
    ] = Decimal("0.025")
    raise_months: Annotated[
        Months,
        Field(
            description="Relative weights of the months in which raises take effect, January "
            "first, {values}."
        ),
    ] = _months(0.12, 0.01, 0.02, 0.55, 0.02, 0.01, 0.12, 0.01, 0.01, 0.1, 0.02, 0.01)
    promotion_months: Annotated[
        Months,
        Field(
            description="Relative weights of the months in which promotions take effect, January "
            "first, {values}."
        ),
    ] = _months(0.15, 0, 0, 0.55, 0, 0, 0.15, 0, 0, 0.15, 0, 0)
    raise_cutoff: Annotated[
        str,
        single(month_day),
        Field(
            description="Month and day, in quotes: who is hired on or after it gets no raise in "
            "the following year either, but waits for the year after next."
        ),
    ] = "10-01"
    merit_positions: Annotated[
        tuple[Decimal, ...],
        single(band_places),
        Field(
            description="Where in the pay range of the level another position begins, as a "
            "fraction of the way from its lowest to its highest pay, {values}: what each position "
            "earns is the `multiplier` of the rating, if that is a list."
        ),
    ] = (Decimal("0.33"), Decimal("0.67"), Decimal(1))
    performance: Annotated[
        tuple[PerformanceRating, ...],
        BeforeValidator(_ratings),
        Field(description="Performance ratings; an empty list pays everybody the same."),
    ] = (
        _rating("below", "0.10", "0"),
        _rating("meets", "0.60", "1.3", "1", "0.6", "0.2"),
        _rating("exceeds", "0.25", "1.7", "1.3", "0.8", "0.3"),
        _rating("outstanding", "0.05", "2.1", "1.6", "1", "0.4"),
    )

    @field_validator("performance")
    @classmethod
    def _usable(
        cls, ratings: tuple[PerformanceRating, ...], info: ValidationInfo
    ) -> tuple[PerformanceRating, ...]:
        faults = Faults()
        seen: Counter[str] = Counter()
        places = info.data.get("merit_positions")
        for index, entry in enumerate(ratings):
            seen[entry.rating] += 1
            if seen[entry.rating] == 2:
                error = fault("is given twice", "Give each rating a name of its own")
                faults.add(error, entry.rating, index, "rating")
            given = entry.multiplier
            if isinstance(given, tuple) and places is not None and len(given) != len(places) + 1:
                message = f"has {len(given)} multipliers for {len(places) + 1} positions"
                remedy = "Write one number, or one more than there are merit_positions"
                faults.add(fault(message, remedy), as_json(given), index, "multiplier")
        faults.check()
        if not ratings:
            return ratings
        rated = [entry for entry in ratings if entry.share > 0]
        if not any(highest(entry.multiplier) > 0 for entry in rated):
            message = "has no rating with both share and multiplier above zero"
            raise fault(message, "The merit budget needs at least one rating to be spent on")
        if not any(entry.promotion_factor > 0 for entry in rated):
            message = "has no rating with both share and promotion_factor above zero"
            raise fault(message, "Write a promotion_rate of 0 if nobody is promoted")
        return ratings

    @property
    def positions(self) -> tuple[Decimal | None, ...]:
        """Where each position in the band begins, lowest first; the first has no beginning."""
        return (None, *self.merit_positions)
