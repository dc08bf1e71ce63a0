"""The floor: the same year by hand, and how far the product is from it.

One scenario, one replicate, alignment `expected`, the default configuration. No
dbt, no framework, no checks, no telemetry: one pass over the people, one over the
hires and one insert per table, every parameter a literal, pay in integer cents,
and what lives for a year in memory. It leaves `fct_workforce_snapshot` (but for what the
plan contributes, which is no part of the floor) and `fct_yearly_events` with the rows
of the product, column by column.

    python benchmarks/floor.py --employees 100000 --years 5

As in the product, reading the census is not part of a year; committing it to the
file is.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import duckdb

import planalign
from planalign.census import generate_census
from planalign.config import parse
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEEDS = Path(planalign.__file__).parent / "dbt" / "seeds"
FACTS = ("fct_workforce_snapshot", "fct_yearly_events")
# What the floor does not compute: the plan beyond eligibility.
WORKFORCE_EVENTS = ("hire", "eligibility", "promotion", "raise", "termination")
REPEATS = 3
FIRST_YEAR = 2025
CENSUS_SEED = 42

# The default configuration. Money in cents, rates in millionths.
RANDOM_SEED = 42
GROWTH, TERMINATION, HIRE_TERMINATION, PROMOTION = 30_000, 120_000, 250_000, 60_000
COLA, MERIT, PROMOTION_INCREASE, MARKET = 25_000, 30_000, 150_000, 25_000
LOWEST_PERCENTILE, HIGHEST_PERCENTILE = 200_000, 800_000
MINIMUM_AGE, MONTHS_OF_SERVICE = 21, 3
RATINGS = (("below", 10, 0), ("meets", 60, 100), ("exceeds", 25, 130), ("outstanding", 5, 160))
RAISE_MONTHS = (12, 1, 2, 55, 2, 1, 12, 1, 1, 10, 2, 1)
PROMOTION_MONTHS = (15, 0, 0, 55, 0, 0, 15, 0, 0, 15, 0, 0)
HIRE_MONTHS = (1,) * 12
HIRE_LEVELS = (40, 30, 18, 9, 3)
HIRE_AGES = ((18, 24, 20), (25, 34, 38), (35, 44, 23), (45, 54, 13), (55, 64, 6))

LANE = 4_294_967_295
MULTIPLIER, ROUNDS = 3_528_905_107, 7
NANO = 1_000_000_000


def floor(
    census: Path, database: Path, first_year: int, last_year: int, threads: int
) -> list[float]:
    """Simulate the years and return the seconds of each."""
    with duckdb.connect(str(database)) as connection, ThreadPoolExecutor(threads) as pool:
        connection.execute(f"set threads = {threads}")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("attach ':memory:' as work")
        hazards = set_up(connection, census, first_year)
        writers = (connection.cursor(), connection.cursor())
        bands = market_bands()
        seconds = []
        for year in range(first_year, last_year + 1):
            started = time.perf_counter()
            if year == first_year:
                connection.execute(from_census(year))
            bands = [(moved(low), moved(high)) for low, high in bands]
            simulate(connection, year, hazards, bands, is_first=year == first_year)
            # On cursors of their own, for what DuckDB does on one thread: binding, commit.
            list(pool.map(write, writers, (snapshot(year), events(year))))
            seconds.append(time.perf_counter() - started)
    return seconds


def write(cursor: duckdb.DuckDBPyConnection, statement: str) -> None:
    cursor.execute(statement)


# --- Setup: not timed ------------------------------------------------------------


def set_up(
    connection: duckdb.DuckDBPyConnection, census: Path, first_year: int
) -> dict[int, tuple[int, int]]:
    """Create the tables, load the census, and return (exit, promotion) hazard by cell.

    A cell is an age, a tenure band and a level as one small number.
    """
    connection.execute(CREATE_FACTS)
    connection.execute("create table work.hazards (cell usmallint, leaving bigint, "
                       "retiring bigint, promotion bigint)")  # fmt: skip
    rows = list(hazard_rows())
    connection.execute(f"insert into work.hazards values {', '.join(map(str, rows))}")
    connection.execute(f"""
        create table work.census as
        select *, md5_number_lower(employee_id) as employee_key from '{census}'
        where hire_date <= '{first_year}-01-01' and case
            when termination_date is not null then termination_date >= '{first_year}-01-01'
            else coalesce(active, true)
        end""")
    return {cell: (leaving, promotion) for cell, leaving, _, promotion in rows}


CREATE_FACTS = """
    create table fct_workforce_snapshot (
        scenario_id varchar, replicate integer, simulation_year integer,
        employee_id varchar, employee_key ubigint, birth_date date, hire_date date,
        termination_date date, current_age integer, age_band varchar,
        current_tenure integer, tenure_band varchar, job_level integer,
        employment_status varchar, detailed_status varchar,
        opening_compensation decimal(15, 2), current_compensation decimal(15, 2),
        prorated_annual_compensation decimal(15, 2),
        full_year_equivalent_compensation decimal(15, 2),
        cumulative_compensation decimal(18, 2),
        plan_eligibility_date date, is_plan_eligible boolean
    );
    create table fct_yearly_events (
        scenario_id varchar, replicate integer, simulation_year integer,
        event_id uuid, employee_id varchar, event_type varchar, effective_date date,
        event_sequence integer, job_level integer,
        compensation_amount decimal(15, 2), previous_compensation decimal(15, 2),
        event_payload json
    )"""


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def digits(text: str, places: int) -> int:
    """Return a decimal as the integer of its digits."""
    whole, _, part = text.partition(".")
    return int(whole + part[:places].ljust(places, "0"))


def quotient(numerator: int, denominator: int) -> int:
    """Round half away from zero, for what is not negative."""
    return (2 * numerator + denominator) // (2 * denominator)


def moved(cents: int) -> int:
    return quotient(cents * (10**6 + MARKET), 10**6)


def market_bands() -> list[tuple[int, int]]:
    return [
        (digits(row["band_minimum"], 2), digits(row["band_maximum"], 2))
        for row in seed("market_bands")
    ]


AGE_BANDS = [
    (r["age_band"], int(r["minimum_age"]), int(r["maximum_age"])) for r in seed("age_bands")
]
TENURE_BANDS = [(r["tenure_band"], int(r["minimum_tenure"])) for r in seed("tenure_bands")]


def hazard_rows() -> Iterator[tuple[int, int, int, int]]:
    """Yield cell, hazard of leaving, of which retiring, and of promotion, in billionths."""
    exits = {
        (row["age_band"], row["tenure_band"]): digits(row["hazard"], 6)
        for row in seed("termination_hazards")
    }
    retirements = {int(row["age"]): digits(row["hazard"], 9) for row in seed("retirement_hazards")}
    by_age = {row["age_band"]: digits(row["factor"], 6) for row in seed("promotion_age_factors")}
    by_tenure = {
        row["tenure_band"]: digits(row["factor"], 6) for row in seed("promotion_tenure_factors")
    }
    levels = [
        (digits(row["termination_factor"], 6), digits(row["promotion_hazard"], 6))
        for row in seed("job_levels")
    ]
    for band, youngest, oldest in AGE_BANDS:
        for age in range(youngest, oldest + 1):
            for number, (tenure, _) in enumerate(TENURE_BANDS):
                for level, (factor, promotion) in enumerate(levels, start=1):
                    voluntary = quotient(exits[band, tenure] * factor, 1000)
                    yield (
                        (age * 7 + number) * 5 + level - 1,
                        voluntary + retirements[age],
                        retirements[age],
                        0 if level == 5
                        else quotient(promotion * by_age[band] * by_tenure[tenure], NANO),
                    )  # fmt: skip


# --- A year ------------------------------------------------------------------------


def simulate(
    connection: duckdb.DuckDBPyConnection,
    year: int,
    hazards: dict[int, tuple[int, int]],
    bands: list[tuple[int, int]],
    *,
    is_first: bool,
) -> None:
    """Take `work.people` through a year: what happens to each, then the hires."""
    execute = connection.execute
    counts = dict(
        execute(
            "select cell, count(*) from work.people where termination_date is null group by cell"
        ).fetchall()
    )
    opening = sum(counts.values())
    leaving, promotion = scales(counts, opening, hazards)
    changed = changes(year, leaving, promotion, bands, is_first=is_first)
    execute(f"create table work.changed as {changed}")
    execute("drop table work.people; alter table work.changed rename to people")
    leavers = execute("select count(termination_date) from work.people").fetchall()[0][0]
    net = quotient(opening * (10**6 + GROWTH), 10**6) - opening + leavers
    hires = quotient(max(net, 0) * 10**6, 10**6 - HIRE_TERMINATION)
    execute(f"insert into work.people {hired(year, hires, bands)}")


def scales(
    counts: dict[int, int], opening: int, hazards: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    """Return the factors, in 10^-12, that make the hazards meet the two rates."""
    exits: dict[int, int] = defaultdict(int)
    for cell, count in counts.items():
        exits[hazards[cell][0]] += count * NANO
    leaving = scale(exits, opening * TERMINATION * 1000)
    promotions: dict[int, int] = defaultdict(int)
    for cell, count in counts.items():
        exit_hazard, hazard = hazards[cell]
        promotions[hazard] += count * (NANO - min(NANO, quotient(exit_hazard * leaving, 10**12)))
    return leaving, scale(promotions, opening * PROMOTION * 1000)


def scale(weights: dict[int, int], target: int) -> int:
    """Return the factor such that sum(weight * min(1, factor * hazard)) is the target."""
    groups = sorted(((h, w) for h, w in weights.items() if h > 0), reverse=True)
    products = [quotient(hazard * weight, 10**6) for hazard, weight in groups]
    hazard_left, target_left = sum(products), target
    for (hazard, weight), product in zip(groups, products, strict=True):
        if target_left * hazard <= hazard_left * 10**6:
            return quotient(target_left * 10**15, hazard_left)
        target_left -= weight
        hazard_left -= product
    return NANO * 10**12


# --- Expressions -------------------------------------------------------------------


def drawn(relation: str, year: int, decisions: tuple[str, ...]) -> str:
    """Return the relation with a draw per decision, `u_<decision>` in billionths.

    Philox-2x32 with 7 rounds over columns `mixed` and `low` of the relation, which
    hold the first round as far as it is the same for every decision.
    """
    salts = {name: (s >> 32, s & LANE) for name, s in streams(year, decisions)}
    lanes = ", ".join(
        f"xor(mixed, {high ^ low}::ubigint) * {MULTIPLIER} as p_{name}, low as r_{name}"
        for name, (high, low) in salts.items()
    )
    query = f"(select *, {lanes} from {relation})"
    for number in range(1, ROUNDS):
        lanes = ", ".join(
            f"{left(name, low, number)} * {MULTIPLIER} as p_{name}, p_{name} & {LANE} as r_{name}"
            for name, (_, low) in salts.items()
        )
        if number == ROUNDS - 1:
            lanes = ", ".join(
                f"(({left(name, low, number)} * 1000000 >> 32) * 1000 "
                f"+ ((p_{name} & {LANE}) * 1000 >> 32))::bigint as u_{name}"
                for name, (_, low) in salts.items()
            )
            work = ", ".join(f"p_{name}, r_{name}" for name in decisions)
            query = f"(select * exclude ({work}), {lanes} from {query})"
        else:
            query = f"(select * replace ({lanes}) from {query})"
    return query


def streams(year: int, decisions: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(name, digest(f"{RANDOM_SEED}|{year}|{name}")) for name in decisions]


def digest(text: str) -> int:
    """Return what `md5_number_lower` does."""
    hashed = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(hashed[8:], "little")


def left(name: str, salt: int, number: int) -> str:
    """Return the left lane after a round, from the product and the right lane before it."""
    key = (salt + number * 2654435769) & LANE
    return f"xor(xor(p_{name} >> 32, r_{name}), {key}::ubigint)"


FIRST_ROUND = (
    "xor(((employee_key & 4294967295) * 3528905107) >> 32, employee_key >> 32) as mixed, "
    "((employee_key & 4294967295) * 3528905107) & 4294967295 as low"
)


def chosen(draw: str, weights: tuple[int, ...], values: list[str]) -> str:
    """Return the value of the class that a draw falls into, likely classes first."""
    total = sum(weights)
    sums = accumulate(weights[:-1])
    bounds = [0, *(quotient(sum_to_here * NANO, total) for sum_to_here in sums), NANO]
    classes = [
        (low, high, value)
        for (low, high), value in zip(pairwise(bounds), values, strict=True)
        if low < high
    ]
    classes.sort(key=lambda bounded: bounded[0] - bounded[1])
    tests = " ".join(
        f"when {draw} >= {low} and {draw} < {high} then {value}"
        for low, high, value in classes[:-1]
    )
    return f"case {tests} else {classes[-1][2]} end" if tests else classes[0][2]


def firsts(year: int) -> list[str]:
    return [f"date '{year}-{month:02}-01'" for month in range(1, 13)]


def cell(year: int, level: str) -> str:
    """Return the hazard cell on January 1 of a year."""
    age, tenure = (
        f"({year - 1} - year({day}) + (month({day}) = 1 and day({day}) = 1)::integer)"
        for day in ("birth_date", "hire_date")
    )
    return f"((least({age}, 130) * 7 + {tenure_number(tenure)}) * 5 + {level} - 1)::usmallint"


def tenure_number(tenure: str) -> str:
    starts = list(enumerate(start for _, start in TENURE_BANDS))
    return "case " + " ".join(
        f"when {tenure} >= {start} then {number}" for number, start in reversed(starts[1:])
    ) + " else 0 end"  # fmt: skip


def pay(cents: str) -> str:
    return f"({cents} * 0.01::decimal(2, 2))::decimal(15, 2)"


def raised(cents: str, rate: str | int) -> str:
    return f"(({cents} * (1000000 + {rate}) + 500000) // 1000000)"


def rounded(numerator: str, denominator: str) -> str:
    return f"((2 * ({numerator}) + {denominator}) // (2 * {denominator}))"


ENTRY = (
    f"(date_trunc('quarter', greatest(make_date((year(birth_date) + {MINIMUM_AGE})::integer, "
    "month(birth_date)::integer, 1) + (day(birth_date) - 1)::integer, "
    f"(hire_date + interval {MONTHS_OF_SERVICE} month)::date) - 1) + interval 3 month)::date"
)


def merit_rates() -> list[int]:
    shares = sum(share for _, share, _ in RATINGS)
    spent = sum(share * multiplier for _, share, multiplier in RATINGS)
    return [
        quotient(MERIT * quotient(multiplier * shares * NANO, spent), NANO)
        for _, _, multiplier in RATINGS
    ]


# --- Statements --------------------------------------------------------------------


def from_census(year: int) -> str:
    return f"""
        create table work.people as
        select employee_id, employee_key, birth_date, hire_date, job_level,
            (annual_compensation * 100)::bigint as cents, 0::bigint as cumulative_cents,
            null::date as termination_date, null::date as eligibility_date,
            {cell(year, "job_level")} as cell, {FIRST_ROUND}
        from work.census"""


def changes(
    year: int, leaving: int, promotion: int, bands: list[tuple[int, int]], *, is_first: bool
) -> str:
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    cells = f"""(
        select cell, leaving, retiring,
            least({NANO}, (leaving * {leaving}::hugeint + 500000000000) // 1000000000000)::bigint
                as leaving_chance,
            least({NANO}, (promotion * {promotion}::hugeint + 500000000000) // 1000000000000)
                ::bigint as promotion_chance
        from work.hazards)"""
    people = f"""(
        select employee_id, employee_key, mixed, low, birth_date, hire_date, job_level, cents,
            cumulative_cents, termination_date, eligibility_date, hazards.* exclude (cell)
        from work.people inner join {cells} as hazards on people.cell = hazards.cell
        where termination_date is null)"""
    with_draws = drawn(people, year, (
        "termination", "termination_day", "termination_reason",
        "promotion", "promotion_month", "performance", "raise_month",
    ))  # fmt: skip
    shares = tuple(share for _, share, _ in RATINGS)
    effective = ENTRY if is_first else f"greatest({ENTRY}, hire_date, date '{year}-01-01')"
    rates = merit_rates()
    return f"""
    select employee_id, employee_key, mixed, low, birth_date, hire_date,
        job_level + (promotion_date is not null)::integer as job_level,
        cents as opening_cents, before_promotion, after_promotion, before_raise, after_raise,
        final_cents as cents, termination_date, is_retirement, promotion_date, raise_date,
        rating, false as is_hire,
        coalesce(eligibility_date is null and entry >= date '{year}-01-01', false)
            as is_newly_eligible,
        entry as eligibility_date,
        paid_cents, {rounded("cent_days", "days")} as equivalent_cents,
        cumulative_cents + paid_cents as cumulative_cents,
        {cell(year + 1, "(job_level + (promotion_date is not null)::integer)")} as cell
    from (select *, {rounded("cent_days", str(days))} as paid_cents
    from (select *, cents * days
            + coalesce((after_promotion - before_promotion)
                * (days - (promotion_date - date '{year}-01-01')), 0)
            + coalesce((after_raise - before_raise)
                * (days - (raise_date - date '{year}-01-01')), 0) as cent_days,
        coalesce(case when raise_date is not null and not is_promotion_first
            then after_promotion end, after_raise, after_promotion, cents) as final_cents
    from (select *,
        case when raise_date is not null
            then case when is_promotion_first then promoted else cents end end as before_raise,
        case when raise_date is not null
            then case when is_promotion_first
                then {raised("promoted", "raise_rate")} else raised end end as after_raise,
        case when promotion_date is not null
            then case when is_promotion_first or raise_date is null
                then cents else raised end end as before_promotion,
        case when promotion_date is not null
            then case when is_promotion_first or raise_date is null
                then promoted
                else greatest({raised("raised", PROMOTION_INCREASE)}, minimum) end end
            as after_promotion
    from (select *,
        promotion_date is not null and (raise_date is null or promotion_date <= raise_date)
            as is_promotion_first,
        case when raise_date is not null then {raised("cents", "raise_rate")} end as raised,
        case when promotion_date is not null
            then greatest({raised("cents", PROMOTION_INCREASE)}, minimum) end as promoted
    from (select *,
        case when eligibility_date is not null then eligibility_date
            when first_entry <= coalesce(termination_date, date '{year}-12-31')
                then first_entry end as entry,
        case when review_date < termination_date or termination_date is null
            then review_date end as raise_date,
        coalesce(termination_date - date '{year}-01-01' + 1, {days}) as days,
        case rating {" ".join(f"when {n} then {COLA + rate}" for n, rate in enumerate(rates))}
            end as raise_rate,
        case when promotion_date is not null then case job_level
            {" ".join(f"when {n} then {bands[n][0]}" for n in range(1, 5))} end end as minimum
    from (select *,
        case when termination_date is null and u_promotion < promotion_chance
            then {chosen("u_promotion_month", PROMOTION_MONTHS, firsts(year))} end
            as promotion_date,
        case when hire_date < date '{year - 1}-10-01'
            then {chosen("u_raise_month", RAISE_MONTHS, firsts(year))} end as review_date,
        {chosen("u_performance", shares, [f"{n}::utinyint" for n in range(len(shares))])} as rating,
        case when eligibility_date is null then {effective} end as first_entry,
        termination_date is not null
            and u_termination_reason * leaving < retiring * {NANO} as is_retirement
    from (select * replace (
        case when u_termination < leaving_chance
            then date '{year}-01-01' + (u_termination_day * {days} // {NANO})::integer end
            as termination_date)
    from {with_draws})))))))"""


def hired(year: int, hires: int, bands: list[tuple[int, int]]) -> str:
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    people = f"""(
        select *, {FIRST_ROUND}
        from (select employee_id, md5_number_lower(employee_id) as employee_key
        from (select 'H{year}-' || case when number < 1000000
            then lpad(number::varchar, 6, '0') else number::varchar end as employee_id
        from range(1, {hires + 1}) as numbers(number))))"""
    with_draws = drawn(people, year, (
        "hire_level", "hire_age", "hire_birth_day", "hire_month", "hire_day",
        "hire_pay", "new_hire_termination", "new_hire_termination_day",
    ))  # fmt: skip
    levels = range(1, 6)
    lowest = " ".join(f"when {n} then {bands[n - 1][0]}" for n in levels)
    span = " ".join(f"when {n} then {bands[n - 1][1] - bands[n - 1][0]}" for n in levels)
    age_weights = tuple(weight for *_, weight in HIRE_AGES)
    youngest = chosen("u_hire_age", age_weights, [str(a) for a, *_ in HIRE_AGES])
    spread = chosen("u_hire_age", age_weights, [str((b - a + 1) * 365) for a, b, _ in HIRE_AGES])
    return f"""
    by name
    select employee_id, employee_key, mixed, low, birth_date, hire_date, job_level,
        cents as opening_cents, cents, termination_date, true as is_hire,
        false as is_retirement,
        coalesce(entry >= date '{year}-01-01', false) as is_newly_eligible,
        entry as eligibility_date,
        paid_cents, {rounded("cent_days", "days")} as equivalent_cents,
        paid_cents as cumulative_cents, {cell(year + 1, "job_level")} as cell
    from (select *, {rounded("cent_days", str(days))} as paid_cents
    from (select *, cents * days as cent_days,
        case when first_entry <= last_day then first_entry end as entry
    from (select *, last_day - hire_date + 1 as days,
        greatest({ENTRY}, hire_date) as first_entry
    from (select *, coalesce(termination_date, date '{year}-12-31') as last_day
    from (select *,
        (hire_date - to_years({youngest}))::date
            - (u_hire_birth_day * ({spread}) // {NANO})::integer as birth_date,
        case job_level {lowest} end + ((case job_level {span} end)
            * ({LOWEST_PERCENTILE} * 10000
                + {(HIGHEST_PERCENTILE - LOWEST_PERCENTILE) // 10**5} * u_hire_pay)
            + 5000000000) // 10000000000 as cents,
        case when u_new_hire_termination < {HIRE_TERMINATION * 1000}
            then hire_date + (u_new_hire_termination_day
                * (date '{year}-12-31' - hire_date + 1) // {NANO})::integer end
            as termination_date
    from (select *,
        month + (u_hire_day * day(last_day(month)) // {NANO})::integer as hire_date
    from (select *,
        {chosen("u_hire_month", HIRE_MONTHS, firsts(year))} as month,
        {chosen("u_hire_level", HIRE_LEVELS, [str(n) for n in levels])} as job_level
    from {with_draws})))))))"""


def snapshot(year: int) -> str:
    age = f"({year} - year(birth_date))::integer"
    tenure = f"({year} - year(hire_date))::integer"
    age_band = " ".join(f"when age >= {low} then '{name}'" for name, low, _ in AGE_BANDS[:0:-1])
    tenure_band = " ".join(
        f"when tenure >= {low} then '{name}'" for name, low in TENURE_BANDS[:0:-1]
    )
    return f"""
    insert into fct_workforce_snapshot
    select 'baseline', 0, {year}, employee_id, employee_key, birth_date, hire_date,
        termination_date, age, case {age_band} else '{AGE_BANDS[0][0]}' end,
        tenure, case {tenure_band} else '{TENURE_BANDS[0][0]}' end,
        job_level, case when termination_date is null then 'active' else 'terminated' end,
        case when is_hire
            then case when termination_date is null
                then 'new_hire_active' else 'new_hire_termination' end
            when termination_date is null then 'continuous_active'
            else 'experienced_termination' end,
        {pay("opening_cents")}, {pay("cents")}, {pay("paid_cents")}, {pay("equivalent_cents")},
        cumulative_cents * 0.01::decimal(2, 2), eligibility_date, eligibility_date is not null
    from (select *, {age} as age, {tenure} as tenure from work.people)"""


def events(year: int) -> str:
    half = digest(f"baseline|0|{year}")

    def event_id(number: int) -> str:
        low = ((half ^ (number * 1152921504606847)) & 4611686018427387903) | 1 << 63
        return (
            "((((employee_key & 18446744073709490175::ubigint) | 9223372036854808576::ubigint)"
            f"::uhugeint * 18446744073709551616::uhugeint) + {low}::uhugeint)::uuid"
        )

    def event(
        number: int,
        kind: str,
        *,
        where: str,
        sequence: str,
        level: str,
        pay_after: str,
        pay_before: str,
        payload: str,
    ) -> str:
        return (
            f"select 'baseline', 0, {year}, {event_id(number)}, employee_id, '{kind}', "
            f"{kind}_date, ({sequence})::integer, {level}, {pay(pay_after)}, {pay(pay_before)}, "
            f"concat({payload})::json from work.people where {where}"
        )

    # Whether another event of the employee comes before one on `day`.
    def earlier(condition: str) -> str:
        return f"coalesce({condition}, false)::integer"

    eligible = "(is_newly_eligible and eligibility_date {} {})"
    tails = " ".join(
        f'when {n} then \',"cola_rate":{COLA / 10**6:.6f},"merit_rate":{rate / 10**6:.6f},'
        f'"rating":"{name}"}}\''
        for n, ((name, *_), rate) in enumerate(zip(RATINGS, merit_rates(), strict=True))
    )
    is_raise = "(raise_date is not null and after_raise <> before_raise)"
    pay_on_entry = (
        "case when promotion_date < eligibility_date and (raise_date is null "
        "or raise_date >= eligibility_date or promotion_date > raise_date) then after_promotion "
        "when raise_date < eligibility_date then after_raise else opening_cents end"
    )
    change_at_promotion = pay("(after_promotion - before_promotion)")
    change_at_raise = pay("(after_raise - before_raise)")
    parts = (
        event(
            1,
            "hire",
            where="is_hire",
            sequence="1",
            level="job_level",
            pay_after="cents",
            pay_before="0",
            payload=f"'{{\"amount\":', {pay('cents')}, ',\"job_level\":', job_level, '}}'",
        ),
        event(
            2,
            "eligibility",
            where="is_newly_eligible",
            sequence=f"1 + is_hire::integer + {earlier('promotion_date < eligibility_date')} "
            f"+ {earlier(f'{is_raise} and raise_date < eligibility_date')}",
            level=f"job_level - {earlier('promotion_date >= eligibility_date')}",
            pay_after=pay_on_entry,
            pay_before=pay_on_entry,
            payload=f"'{{\"amount\":', {pay(pay_on_entry)}, '}}'",
        ),
        event(
            3,
            "promotion",
            where="promotion_date is not null",
            sequence=f"1 + {earlier(eligible.format('<=', 'promotion_date'))} "
            f"+ {earlier(f'{is_raise} and raise_date < promotion_date')}",
            level="job_level",
            pay_after="after_promotion",
            pay_before="before_promotion",
            payload=f"'{{\"amount\":', {change_at_promotion}, ',\"from_level\":', job_level - 1, "
            "',\"to_level\":', job_level, '}'",
        ),
        event(
            4,
            "raise",
            where=is_raise,
            sequence=f"1 + {earlier(eligible.format('<=', 'raise_date'))} "
            f"+ {earlier('promotion_date <= raise_date')}",
            level=f"job_level - {earlier('promotion_date > raise_date')}",
            pay_after="after_raise",
            pay_before="before_raise",
            payload=f"'{{\"amount\":', {change_at_raise}, case rating {tails} end",
        ),
        event(
            5,
            "termination",
            where="termination_date is not null",
            sequence="1 + is_hire::integer + is_newly_eligible::integer "
            f"+ (promotion_date is not null)::integer + {earlier(is_raise)}",
            level="job_level",
            pay_after="cents",
            pay_before="cents",
            payload=f'\'{{"amount":\', {pay("cents")}, \',"reason":"\', case when is_hire '
            "then 'new_hire\"}' when is_retirement then 'retirement\"}' else 'voluntary\"}' end",
        ),
    )
    return f"insert into fct_yearly_events {' union all '.join(parts)}"


# --- Against the product -------------------------------------------------------------


def run_product(census: Path, folder: Path, years: int, threads: int) -> tuple[Path, list[float]]:
    """Simulate with the product; return its database and the seconds of each year."""
    config = parse(
        {
            "census": str(census),
            "simulation": {"start_year": FIRST_YEAR, "end_year": FIRST_YEAR + years - 1},
            "resources": {"threads": threads},
        },
        folder,
    )
    completed = run_study(Request(config, output=folder / "run"))
    return completed.path / "results.duckdb", list(completed.seconds_by_year.values())


def run_floor(census: Path, folder: Path, years: int, threads: int) -> tuple[Path, list[float]]:
    database = folder / "floor.duckdb"
    return database, floor(census, database, FIRST_YEAR, FIRST_YEAR + years - 1, threads)


def alone(run: Callable[..., tuple[Path, list[float]]], *arguments: Any) -> Any:
    """Call a function in a new process, so that neither warms the other."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(run, *arguments).result()


def differences(floor_database: Path, product_database: Path) -> list[str]:
    """Say in which tables and columns the two databases differ; nothing if in none."""
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{floor_database}' as floor (read_only)")
        connection.execute(f"attach '{product_database}' as results (read_only)")
        connection.execute("attach ':memory:' as product")
        connection.execute(
            "create view product.fct_yearly_events as select * replace (row_number() over ("
            "partition by simulation_year, employee_id order by event_sequence"
            ")::integer as event_sequence) from results.fct_yearly_events "
            f"where event_type in {WORKFORCE_EVENTS}"
        )
        described = connection.execute("describe floor.fct_workforce_snapshot").fetchall()
        connection.execute(
            "create view product.fct_workforce_snapshot as select "
            f"{', '.join(row[0] for row in described)} from results.fct_workforce_snapshot"
        )

        def rows_apart(table: str, columns: Sequence[str]) -> tuple[int, int]:
            names = ", ".join(columns)
            one, other = (
                connection.execute(
                    f"select count(*) from (select {names} from {mine}.{table} "
                    f"except all select {names} from {theirs}.{table})"
                ).fetchall()[0][0]
                for mine, theirs in (("floor", "product"), ("product", "floor"))
            )
            return one, other

        for table in FACTS:
            mine, theirs = (
                connection.execute(f"describe {name}.{table}").fetchall()
                for name in ("floor", "product")
            )
            own, products = [row[:2] for row in mine], [row[:2] for row in theirs]
            if own != products:
                found.append(f"{table}: other columns or types")
                continue
            columns = [row[0] for row in mine]
            apart = rows_apart(table, columns)
            if any(apart):
                wrong = [name for name in columns if any(rows_apart(table, [name]))]
                found.append(
                    f"{table}: {apart[0]} rows of the floor and {apart[1]} of the product have no "
                    f"counterpart; columns: {', '.join(wrong) or 'only in combination'}"
                )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--employees", type=int, default=100_000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    seconds: dict[str, list[float]] = {"floor": [], "product": []}
    with tempfile.TemporaryDirectory(prefix="planalign-floor-") as scratch:
        census = Path(scratch, "census.parquet")
        generate_census(options.employees, CENSUS_SEED, census)
        for number in range(REPEATS):
            databases = {}
            for name, run in (("floor", run_floor), ("product", run_product)):
                folder = Path(scratch, f"{name}_{number}")
                folder.mkdir()
                databases[name], years = alone(run, census, folder, options.years, options.threads)
                seconds[name] += years
                print(
                    f"{name}: {', '.join(f'{year:.3f}' for year in years)} seconds",
                    file=sys.stderr,
                )
            apart = differences(databases["floor"], databases["product"])
            if apart:
                print("\n".join(apart), file=sys.stderr)
                return 1
    floor_seconds, product_seconds = median(seconds["floor"]), median(seconds["product"])
    result = {
        "employees": options.employees,
        "years": options.years,
        "threads": options.threads,
        "floor_seconds_per_year": round(floor_seconds, 4),
        "product_seconds_per_year": round(product_seconds, 4),
        "product_over_floor": round(product_seconds / floor_seconds, 2),
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{options.employees:,} employees, {options.years} years, {options.threads} threads, "
            f"equal rows: floor {floor_seconds:.3f} s a year, product {product_seconds:.3f} s, "
            f"ratio {product_seconds / floor_seconds:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
