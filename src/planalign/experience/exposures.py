"""Make exposures and events of the censuses: who was there, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Ambiguities:
    """People of whom the files leave open what became of them, and what was taken for true.

    Args:
        vanished: employed in one census and in no later one, without a day of leaving:
            taken as leavers of the year.
        absent_but_employed: missing in one census, in a later one with the same day of
            hire: taken as employed throughout.
        came_back: gone in one census and employed in a later one: leavers, and then
            neither hires nor raised.
        appeared: first seen in a later census although hired before: neither hires nor exposed.
        ids_changed: gone under one id and new under another, with the birth date and the
            day of hire that only they have: taken as one person.
        birth_dates_changed: whose birth date differs between censuses: the latest counts.
        hire_dates_changed: whose day of hire differs between censuses: the earliest counts.
        levels_fallen: whose job level fell: taken as neither promoted nor raised.

    """

    vanished: int
    absent_but_employed: int
    came_back: int
    appeared: int
    ids_changed: int
    birth_dates_changed: int
    hire_dates_changed: int
    levels_fallen: int


def build_exposures(connection: duckdb.DuckDBPyConnection, censuses: int) -> Ambiguities:
    """Make the tables `exposed`, `hired` and `movement` out of `person_years`.

    `exposed` has a row per year and employee of its opening workforce, `hired` one per
    hire, `movement` one per year.
    """
    connection.execute(
        "alter table person_years add column person varchar; "
        "alter table person_years add column told_hire_date date; "
        "update person_years set person = employee_id, told_hire_date = hire_date"
    )
    changed = sum(_link_ids(connection, number) for number in range(1, censuses))
    births, hires = _settle_dates(connection)
    statements = (files("planalign.experience") / "exposures.sql").read_text(encoding="utf-8")
    connection.execute(statements)
    vanished, absent, came_back, appeared = _one(
        connection,
        "select sum(vanished), sum(absent_but_employed), sum(came_back), sum(appeared) "
        "from movement",
    )
    (fallen,) = _one(
        connection, "select count(*) from exposed where is_stayer and level_after < job_level"
    )
    return Ambiguities(
        int(vanished), int(absent), int(came_back), int(appeared), changed, births, hires, fallen
    )


def _link_ids(connection: duckdb.DuckDBPyConnection, number: int) -> int:
    """Give who was in the census before under another id the id of then; return how many."""
    connection.execute(
        """
        create or replace temp table links as
        with gone as (
            select person, birth_date, hire_date
            from person_years
            where
                number = $number - 1 and is_active
                and person not in (select person from person_years where number >= $number)
            qualify count(*) over (partition by birth_date, hire_date) = 1
        ),
        new as (
            select person, birth_date, hire_date
            from person_years
            where
                number = $number
                and hire_date < start_day
                and person not in (select person from person_years where number < $number)
            qualify count(*) over (partition by birth_date, hire_date) = 1
        )
        select new.person as new_person, gone.person as person
        from new inner join gone using (birth_date, hire_date)
        """,
        {"number": number},
    )
    connection.execute(
        "update person_years set person = links.person from links "
        "where person_years.person = links.new_person and person_years.number >= ?",
        [number],
    )
    return int(_one(connection, "select count(*) from links")[0])


def _settle_dates(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Give each person one birth date and one day of hire; return of how many each differed.

    The latest birth date and the earliest day of hire count; `told_hire_date` keeps what
    each census says.
    """
    births, hires = _one(
        connection,
        "select count(*) filter (births > 1), count(*) filter (hires > 1) from ("
        "select count(distinct birth_date) as births, count(distinct hire_date) as hires "
        "from person_years group by person)",
    )
    connection.execute(
        """
        create or replace temp table settled as
        select
            person,
            arg_max(birth_date, number) as birth_date,
            min(hire_date) as hire_date
        from person_years
        group by person
        having count(distinct birth_date) > 1 or count(distinct hire_date) > 1
        """
    )
    connection.execute(
        "update person_years set birth_date = settled.birth_date, hire_date = settled.hire_date "
        "from settled where person_years.person = settled.person"
    )
    return int(births), int(hires)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return connection.execute(query).fetchall()[0]
