"""Who is promoted, and what pay does: promotions, raises, pay bands, the pay of hires."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planalign.experience import credibility
from planalign.experience.credibility import MARGIN, TOTAL, Blend, Z, between_years
from planalign.experience.estimates import Cell, Estimate, compared
from planalign.experience.leaving import Factors, Found, predictive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

# Where no rating is known: fifths of the raises, from the lowest.
FIFTHS = ("lowest", "low", "middle", "high", "highest")
# Raises of individual people spread about so much around their mean, where too few are seen.
_USUAL_SPREAD = 0.02
# A raise beyond these is a change of hours or of job, not a raise.
_LOWEST, _HIGHEST = -0.20, 0.50
# The share of raises that is below what all get alike.
_FLOOR = 0.05
# Places of a hire's pay in the band of the level, uniform between them: those in force.
_MOST_OF_A_CHANGE = 0.05


@dataclass
class Bands:
    """The pay band of each level as of the last census, and the ratings of raises."""

    bands: dict[int, tuple[float, float]] = field(default_factory=dict)
    ratings: list[tuple[str, float, float]] = field(default_factory=list)


def fit_promotions(connection: duckdb.DuckDBPyConnection, prior: float) -> tuple[Found, Factors]:
    """Fit the rate of promotions and its shape by level, age and tenure.

    Args:
        connection: with the table `exposed`.
        prior: the promotion rate in force.

    """
    found, factors = Found(), Factors()
    years = connection.execute(
        "select experience_year, count(*), count(*) filter (is_stayer and level_after > job_level)"
        " from exposed where not is_first and not is_filled group by 1 order by 1"
    ).fetchall()
    exposure = sum(row[1] for row in years)
    promoted = sum(row[2] for row in years)
    if not exposure:
        found.untold["workforce.promotion_rate"] = "nobody was seen at the beginning of a year"
        return found, factors
    blend = credibility.rate(promoted, exposure, prior, TOTAL)
    share = promoted / exposure
    errors = [(share * (1 - share) / row[1]) ** 0.5 for row in years]
    between = between_years([row[2] / row[1] for row in years], errors)
    found.estimates.append(
        Estimate(
            "workforce.promotion_rate",
            blend,
            exposure,
            promoted,
            error=predictive(blend.error, between, len(years)),
        )
    )
    connection.execute(
        "create or replace table compared as select *, promotion_hazard as expected, "
        "(level_after > job_level)::integer::double as actual from exposed where is_stayer"
    )
    (hazard,) = connection.execute("select sum(expected) from compared").fetchall()[0]
    if not hazard or not promoted:
        found.untold["job_levels.promotion_hazard"] = "nobody was promoted"
        return found, factors
    level = blend.blended * exposure / hazard
    connection.execute("update compared set expected = expected * ?", [level])
    for dimension, expression in (("department", ""), ("year", "experience_year")):
        found.cells += compared(connection, "promotion", dimension, None, expression)[0]
    cells, factors.level = compared(connection, "promotion", "job_level", MARGIN)
    found.cells += cells
    cells, factors.age = compared(connection, "promotion", "age_band", MARGIN)
    found.cells += cells
    cells, factors.tenure = compared(connection, "promotion", "tenure_band", MARGIN)
    found.cells += cells
    factors.scale = level
    return found, factors


def build_raises(connection: duckdb.DuckDBPyConnection, cutoff: str) -> None:
    """Make the table `raises`: each stayer's change of pay in a year.

    `is_reviewed` are those at the same level, hired before the day of the year before
    from which on hires wait for their first raise.
    """
    month, day = map(int, cutoff.split("-"))
    connection.execute(
        f"""
        create or replace table raises as
        select
            experience_year, person, job_level, level_after, department, rating,
            pay_before::double as pay_before, pay_after::double as pay_after,
            pay_after::double / pay_before::double - 1 as change,
            level_after > job_level as is_promoted,
            level_after = job_level
            and hire_date < make_date(year(start_day - 1), {month}, {day})
            and pay_after / pay_before - 1 between {_LOWEST} and {_HIGHEST} as is_reviewed
        from exposed
        where is_stayer and pay_before > 0 and pay_after > 0
        """  # noqa: S608 - numbers of ours
    )


def fit_raises(
    connection: duckdb.DuckDBPyConnection,
    general: float,
    merit: float,
    with_ratings: bool,
) -> tuple[Found, Bands]:
    """Fit the raise of all alike, the merit budget, and how merit spreads.

    Args:
        connection: with the table `raises`.
        general: the general raise in force.
        merit: the merit budget in force.
        with_ratings: whether the censuses tell ratings.

    """
    found, bands = Found(), Bands()
    (count, average, spread, floor, unusual) = connection.execute(
        "select count(*) filter (is_reviewed), avg(change) filter (is_reviewed), "  # noqa: S608
        "stddev_samp(change) filter (is_reviewed), "
        f"quantile_cont(change, {_FLOOR}) filter (is_reviewed), "
        "count(*) filter (level_after = job_level "
        f"and change not between {_LOWEST} and {_HIGHEST}) from raises"
    ).fetchall()[0]
    if not count:
        found.untold["compensation.merit_budget"] = "nobody has pay in two censuses at one level"
        return found, bands
    if unusual:
        found.notes.append(
            f"{unusual} changes of pay below {_LOWEST:.0%} or above {_HIGHEST:.0%} at the same "
            "level are not counted as raises."
        )
    years = connection.execute(
        "select avg(change), coalesce(stddev_samp(change), 0) / sqrt(count(*)) from raises "
        "where is_reviewed group by experience_year order by experience_year"
    ).fetchall()
    between = between_years([row[0] for row in years], [row[1] for row in years])
    error = max(spread or 0, _USUAL_SPREAD / math.sqrt(count)) / math.sqrt(count)
    total = credibility.mean(average, error, general + merit, TOTAL, max(average, 0.01))
    # What nearly everybody got at least: the general raise; the rest is merit.
    own_general = max(0.0, min(floor, average))
    for key, own, prior in (
        ("compensation.cola_rate", own_general, general),
        ("compensation.merit_budget", average - own_general, merit),
    ):
        blend = Blend(own, prior, total.credibility, own - Z * error, own + Z * error)
        is_merit = key.endswith("merit_budget")
        found.estimates.append(
            Estimate(
                key,
                blend,
                count,
                error=predictive(error, between, len(years)) if is_merit else 0.0,
                note=""
                if is_merit
                else f"What {1 - _FLOOR:.0%} of those reviewed got at least, not below 0.",
            )
        )
    merit_total = total.blended - found.estimates[0].value
    found.cells += _raises_by(connection, "year", "experience_year", average)
    found.cells += _raises_by(connection, "department", "department", average)
    levels = _raises_by(connection, "job_level", "job_level", average)
    found.cells += levels
    for cell in levels:
        of_level = cell.blend
        if of_level is None or of_level.low is None or of_level.high is None:
            continue
        own = max(0.0, average - own_general + (of_level.own or average) - average)
        found.estimates.append(
            Estimate(
                f"compensation.merit_budget[{cell.cell}]",
                Blend(
                    own,
                    merit_total,
                    of_level.credibility,
                    of_level.low - own_general,
                    of_level.high - own_general,
                ),
                cell.exposure,
                note="The company's own mean stands in where a level has few.",
            )
        )
    bands.ratings = _ratings(connection, own_general, average - own_general, with_ratings)
    return found, bands


def _raises_by(
    connection: duckdb.DuckDBPyConnection, dimension: str, expression: str, average: float
) -> list[Cell]:
    rows = connection.execute(
        # Names of ours.
        f"select {expression}::varchar, count(*), avg(change), "  # noqa: S608
        f"coalesce(stddev_samp(change), 0) from raises where is_reviewed and {expression} "
        f"is not null group by {expression} order by {expression}"
    ).fetchall()
    cells = []
    for name, count, own, spread in rows:
        error = max(spread, _USUAL_SPREAD / math.sqrt(count)) / math.sqrt(count)
        blend = credibility.mean(own, error, average, MARGIN, max(average, 0.01))
        interval = (own - Z * error, own + Z * error)
        cells.append(
            Cell("raise", dimension, name, count, own * count, average * count, blend, interval)
        )
    return cells


def _ratings(
    connection: duckdb.DuckDBPyConnection, general: float, merit: float, with_ratings: bool
) -> list[tuple[str, float, float]]:
    """Return name, share and multiplier of each rating, or of each fifth of the raises.

    A multiplier is what the class got beyond the general raise, over the mean of all.
    """
    if merit <= 0:
        return []
    if with_ratings:
        rows = connection.execute(
            "select rating, count(*), avg(change) from raises "
            "where is_reviewed and rating is not null group by 1 order by 3, 1"
        ).fetchall()
    else:
        rows = connection.execute(
            "select class, count(*), avg(change) from ("
            "select change, ntile(5) over (order by change, person, experience_year) as class "
            "from raises where is_reviewed) group by 1 order by 1"
        ).fetchall()
        if sum(row[1] for row in rows) < len(FIFTHS) * len(FIFTHS):
            return []
        rows = [(FIFTHS[number - 1], count, change) for number, count, change in rows]
    count = sum(row[1] for row in rows)
    return [(name, n / count, max(0.0, change - general) / merit) for name, n, change in rows]


def fit_promotion_increase(
    connection: duckdb.DuckDBPyConnection,
    bands: Mapping[int, tuple[float, float]],
    movement: float,
    last_year: int,
    prior: float,
) -> Found:
    """Fit the raise that comes with a promotion, beside the ordinary one.

    Who was lifted to the lowest pay of the new band at the increase in force is left out:
    what they got says nothing about it.
    """
    found = Found()
    key = "compensation.promotion_increase"
    connection.execute(
        "create or replace temp table lowest as "
        "select unnest($levels)::integer as job_level, unnest($pays)::double as lowest_above",
        {"levels": [level - 1 for level in bands], "pays": [low for low, _ in bands.values()]},
    )
    # The ordinary raise beside it is that of who stayed at the level with pay as high, for
    # merit may slow towards the top of the band.
    count, average, spread = connection.execute(
        """
        with above as (
            select raises.*
            from raises inner join lowest using (job_level)
            where
                pay_before * (1 + $prior)
                >= lowest_above / (1 + $movement) ** ($last - experience_year)
        ),

        ordinary as (
            select job_level, experience_year, avg(change) as change
            from above where is_reviewed group by all
        ),

        of_all as (
            select experience_year, avg(change) as change
            from raises where is_reviewed group by all
        )

        select count(*), avg(increase), coalesce(stddev_samp(increase), 0)
        from (
            select
                (1 + above.change)
                / (1 + coalesce(ordinary.change, of_all.change, 0)) - 1 as increase
            from above
            left join ordinary using (job_level, experience_year)
            left join of_all using (experience_year)
            where above.is_promoted and above.change between 0 and 1
        )
        """,
        {"prior": prior, "movement": movement, "last": last_year},
    ).fetchall()[0]
    if not count or average is None:
        found.untold[key] = (
            "nobody was promoted who was not lifted to the lowest pay of the band above"
        )
        return found
    error = max(spread, _MOST_OF_A_CHANGE / math.sqrt(count)) / math.sqrt(count)
    blend = credibility.mean(average, error, prior, TOTAL, max(abs(average), prior, 0.01))
    found.estimates.append(
        Estimate(key, blend, count, error=error, note="Beside the ordinary raise of the year.")
    )
    return found


def fit_bands(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[int, tuple[float, float]],
    places: tuple[float, float],
    prior: float,
    last_year: int,
) -> tuple[Found, dict[int, tuple[float, float]], float]:
    """Fit the pay bands of the levels as of the last census, and how they move in a year.

    A level's band is such that hires are paid between the two places of it that are in
    force: around their mean pay, as wide as their 20th and 80th percentile say. With few of
    them, the pay of those employed counts, from their 5th to their 95th percentile.

    Args:
        connection: with the tables `hired` and `people`.
        tables: the bands in force.
        places: lowest and highest place of a hire's pay in the band.
        prior: the yearly movement in force.
        last_year: the year that the last census ends.

    Returns:
        What was found, the bands by level, and their movement.

    """
    found = Found()
    movement = _movement(connection, prior, found)
    hired = {
        row[0]: row[1:]
        for row in connection.execute(
            "select job_level, count(*), avg(trended), (quantile_cont(trended, 0.8) "
            "- quantile_cont(trended, 0.2)) / 0.6 from ("
            "select job_level, pay::double * (1 + $m) ** ($last - experience_year) as trended "
            "from hired where pay > 0) group by 1",
            {"m": movement, "last": last_year},
        ).fetchall()
    }
    employed = {
        row[0]: row[1:]
        for row in connection.execute(
            "select job_level, count(*), quantile_cont(annual_compensation::double, 0.05), "
            "quantile_cont(annual_compensation::double, 0.95) from people "
            "where is_active and number = (select max(number) from people) group by 1"
        ).fetchall()
    }
    low_place, high_place = places
    bands = {}
    for level, table in tables.items():
        there, low, high = employed.get(level, (0, None, None))
        weight = min(1.0, math.sqrt(there / TOTAL.events))
        base = (
            table
            if low is None
            else (
                weight * low + (1 - weight) * min(table[0], low),
                weight * high + (1 - weight) * max(table[1], high),
            )
        )
        count, centre, hired_width = hired.get(level, (0, None, 0.0))
        own = base
        if count > 1 and high_place > low_place:
            width = hired_width / (high_place - low_place)
            start = centre - width * (low_place + high_place) / 2
            own = (max(start, 0.25 * centre), start + width)
        part = min(1.0, math.sqrt(count / TOTAL.events)) if count > 1 else 0.0
        bands[level] = (
            part * own[0] + (1 - part) * base[0],
            part * own[1] + (1 - part) * base[1],
        )
        for name, place in (("band_minimum", 0), ("band_maximum", 1)):
            # Pay that is uniform over a width w has a mean with the error w / sqrt(12 n), and
            # percentiles 20 and 80 that lie w * sqrt(0.24 / n) beside 0.6 of it.
            error = 0.0
            if count > 1:
                of_width = 0.82 / (high_place - low_place) * abs(place - 0.5 + _shift(places))
                error = hired_width * math.sqrt((1 / 12 + of_width**2) / count)
            interval = (own[place] - Z * error, own[place] + Z * error) if error else (None, None)
            found.estimates.append(
                Estimate(
                    f"market_bands[{level}].{name}",
                    Blend(own[place] if count > 1 else None, base[place], part, *interval),
                    count,
                    note=f"{there} employed at the level in the last census.",
                )
            )
    return found, bands, movement


def _shift(places: tuple[float, float]) -> float:
    """Return how far the middle of hires lies from that of the band, in widths of the band."""
    return 0.5 - sum(places) / 2


def _movement(connection: duckdb.DuckDBPyConnection, prior: float, found: Found) -> float:
    """Return the yearly growth of the pay that hires of a level are offered.

    The slope of log pay over the years within levels, by least squares.
    """
    count, levels, sxx, sxy, syy = connection.execute(
        "select sum(n), count(*), sum(xx), sum(xy), sum(yy) from ("
        "select count(*) as n, regr_sxx(y, x) as xx, regr_sxy(y, x) as xy, regr_syy(y, x) as yy "
        "from (select job_level, experience_year::double as x, ln(pay::double) as y from hired "
        "where pay > 0) group by job_level having count(*) > 1)"
    ).fetchall()[0]
    key = "compensation.market_adjustment"
    if not count or not sxx or count - levels - 1 < 2:
        found.untold[key] = "too few hires in different years to see their pay move"
        return prior
    slope = sxy / sxx
    error = math.sqrt(max(0.0, syy - slope * sxy) / (count - levels - 1) / sxx)
    blend = credibility.mean(math.expm1(slope), error, prior, TOTAL, max(abs(prior), 0.01))
    found.estimates.append(
        Estimate(
            key, blend, count, error=error * blend.credibility, note="Of the pay of hires by level."
        )
    )
    return blend.blended


def weights(
    counts: Mapping[str, int], prior: Mapping[str, float], key: str, quote: bool = False
) -> tuple[list[Estimate], dict[str, float]]:
    """Return shares of classes, each blended with its share in force, and adding up to 1.

    Args:
        counts: by class.
        prior: relative weights in force, by class.
        key: of the configuration.
        quote: whether the classes are text.

    """
    in_all = sum(counts.values())
    total = sum(prior.values())
    names = list(dict.fromkeys([*prior, *counts]))
    blends = {
        name: credibility.rate(
            counts.get(name, 0), in_all, prior.get(name, 0.0) / total if total else 0.0, TOTAL
        )
        for name in names
    }
    whole = sum(blend.blended for blend in blends.values())
    shares = {name: blend.blended / whole for name, blend in blends.items()}
    estimates = [
        Estimate(
            f'{key}["{name}"]' if quote else f"{key}[{name}]",
            blends[name],
            in_all,
            counts.get(name, 0),
        )
        for name in names
    ]
    return estimates, shares


def hires_by(connection: duckdb.DuckDBPyConnection, expression: str) -> dict[str, int]:
    """Return how many hires each class has, by an expression of the table `hired`."""
    rows: Sequence[tuple[str, int]] = connection.execute(
        f"select cast({expression} as varchar), count(*) from hired "  # noqa: S608 - ours
        f"where {expression} is not null group by {expression} order by {expression}"
    ).fetchall()
    return dict(rows)
