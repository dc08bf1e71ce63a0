"""The job levels of a study: where they stand, and what is told of each.

They stand once: in the key `job_levels`, or else in the reference tables `job_levels` and
`market_bands`, those of the study where it has its own.
"""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from planalign.config.scalars import Kind, fault, number, text
from planalign.config.schedule import MOST_LEVELS, Faults, single
from planalign.config.sections import Section
from planalign.config.weights import weight
from planalign.errors import InputError, Problem
from planalign.files import read_regular

if TYPE_CHECKING:
    from planalign.config.models import Config

LEVEL_TABLES = ("job_levels", "market_bands")
_SEEDS = Path(__file__).resolve().parent.parent / "dbt" / "seeds"
_LONGEST_NAME = 64

_dollars = number("0.01", "99999999.99", "52000", "dollars a year", places=2)


def _level_name(value: object) -> str:
    name = text("the name of a job level")(value)
    if len(name) > _LONGEST_NAME:
        raise fault(f"has more than {_LONGEST_NAME} characters", "Shorten it")
    return name.strip()


_name = Kind(_level_name, "", {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME})


class JobLevel(Section):
    """A job level: its name, its pay band as of the census, and how people move in it."""

    name: Annotated[
        str, single(_name), Field(description="Name, of at most 64 characters, used once.")
    ]
    band_minimum: Annotated[
        Decimal,
        single(_dollars),
        Field(description="Lower end of the pay band as of the census, dollars a year, {values}."),
    ]
    band_maximum: Annotated[
        Decimal,
        single(_dollars),
        Field(
            description="Upper end of the pay band, {values}; not below `band_minimum`.",
        ),
    ]
    termination_factor: Annotated[
        Decimal,
        single(number("0", "9", "1.15", "times")),
        Field(
            description="How many times as often as on average over age and tenure somebody of the "
            "level leaves, {values}; scaled so that `total_termination_rate` is met."
        ),
    ]
    promotion_hazard: Annotated[
        Decimal,
        single(number("0", "1", "0.09")),
        Field(
            description="Yearly probability of a promotion to the next level, {values}, scaled so "
            "that `promotion_rate` is met; nobody is promoted out of the last."
        ),
    ]
    hire_share: Annotated[
        Decimal,
        single(weight),
        Field(
            description="Relative weight among hires, {values}, where `hiring.level_weights` gives "
            "none."
        ),
    ]

    @field_validator("band_maximum")
    @classmethod
    def _not_below_minimum(cls, maximum: Decimal, info: ValidationInfo) -> Decimal:
        minimum = info.data.get("band_minimum")
        if minimum is not None and maximum < minimum:
            raise fault(f"is below band_minimum, which is {minimum}", "Exchange or correct the two")
        return maximum


def listed_levels(value: object) -> tuple[Any, ...]:
    """Return the entries of `job_levels`, of which there are none or up to thirty."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise fault(
            "must be a list of job levels, the lowest first",
            f"Write a list of {{{', '.join(JobLevel.model_fields)}}}",
        )
    if len(value) > MOST_LEVELS:
        raise fault(f"has {len(value)} levels", f"Write at most {MOST_LEVELS}")
    return tuple(value)


def distinct_levels(levels: tuple[JobLevel, ...]) -> tuple[JobLevel, ...]:
    """Return job levels, each of which has a name of its own, and one of which is hired into."""
    faults = Faults()
    seen = set[str]()
    for index, level in enumerate(levels):
        if level.name in seen:
            error = fault("is given twice", "Give each level a name of its own")
            faults.add(error, level.name, index, "name")
        seen.add(level.name)
    faults.check()
    if levels and not any(level.hire_share > 0 for level in levels):
        raise fault("has no level with a hire_share above zero", "Make at least one positive")
    return levels


class Known(NamedTuple):
    """What a configuration is checked with: how many levels, and the weight of each in hires.

    No number where the levels cannot be read, of which those tell who need them; no shares
    where the table has none.
    """

    number: int | None
    shares: Mapping[int, Any] | None


def packaged_tables() -> list[Path]:
    """Return the files of the reference tables that come with planalign, by name."""
    return sorted(_SEEDS.glob("*.csv"))


def known_tables(data: Mapping[Any, Any], folder: Path) -> tuple[str, ...]:
    """Return the names of the reference tables that the study's project has."""
    folders = [_path(data.get(key), folder) for key in ("models", "dbt_project")]
    own = (file for one in folders if one is not None for file in _csv_files(one / "seeds"))
    return tuple(sorted({file.stem for file in (*packaged_tables(), *own)}))


def known_levels(data: Mapping[Any, Any], folder: Path) -> Known:
    """Return what can be told of the levels of a configuration that is not yet checked."""
    given = data.get("job_levels")
    if given:
        is_list = isinstance(given, Sequence) and not isinstance(given, str)
        if not is_list or len(given) > MOST_LEVELS:
            return Known(None, None)
        return Known(len(given), {level: _share(one) for level, one in enumerate(given, 1)})
    tables = data.get("tables")
    named = tables.get("job_levels") if isinstance(tables, Mapping) else None
    own, copied = (_path(data.get(key), folder) for key in ("models", "dbt_project"))
    file = table_in_force("job_levels", _path(named, folder), own, copied)
    rows = _rows_of(file)
    numbers = {row.get("job_level") for row in rows}
    if not rows or numbers != {str(number) for number in range(1, len(rows) + 1)}:
        return Known(None, None)
    has_shares = any("hire_share" in row for row in rows)
    shares = {
        int(row["job_level"]): _share({"hire_share": _decimal(row.get("hire_share"))})
        for row in rows
    }
    return Known(len(rows), shares if has_shares else None)


def job_levels(config: Config) -> tuple[JobLevel, ...]:
    """Return the job levels of a study, the lowest first: level n is the nth.

    Raises:
        InputError: its reference tables do not tell of levels 1, 2, 3, ..; with what is wrong.

    """
    if config.job_levels:
        return config.job_levels
    own = (config.models, config.dbt_project)
    files = {name: table_in_force(name, config.tables.get(name), *own) for name in LEVEL_TABLES}
    return _levels_in(files, config.workforce.hiring.level_weights or {})


@cache
def default_levels() -> tuple[JobLevel, ...]:
    """Return the job levels of the packaged reference tables, the lowest first."""
    return _levels_in({name: _SEEDS / f"{name}.csv" for name in LEVEL_TABLES}, {})


def table_in_force(name: str, given: Path | None, own: Path | None, copied: Path | None) -> Path:
    """Return the file of a reference table of a study.

    Args:
        name: of the table.
        given: the file that `tables` names for it.
        own: the folder of the study's own models.
        copied: its copy of the model project.

    """
    if given is not None:
        return given
    places = [folder / "seeds" / f"{name}.csv" for folder in (own, copied) if folder is not None]
    return next((place for place in places if _is_file(place)), _SEEDS / f"{name}.csv")


def as_tables(levels: Sequence[JobLevel]) -> dict[str, bytes]:
    """Return the reference tables that say the same as the key `job_levels`, by name."""
    rows: dict[str, list[tuple[object, ...]]] = {
        "job_levels": [
            ("job_level", "name", "termination_factor", "promotion_hazard", "hire_share"),
            *(
                (
                    number,
                    level.name,
                    f"{level.termination_factor:.6f}",
                    f"{level.promotion_hazard:.6f}",
                    f"{level.hire_share:.6f}",
                )
                for number, level in enumerate(levels, start=1)
            ),
        ],
        "market_bands": [
            ("job_level", "band_minimum", "band_maximum"),
            *(
                (number, f"{level.band_minimum:.2f}", f"{level.band_maximum:.2f}")
                for number, level in enumerate(levels, start=1)
            ),
        ],
    }
    return {name: _csv(table) for name, table in rows.items()}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # it is too long for a path, or leads where nobody may look
        return False


def _csv_files(folder: Path) -> list[Path]:
    try:
        return [*folder.glob("*.csv")]
    except (OSError, ValueError):  # of no path there is none
        return []


def _csv(rows: Sequence[tuple[object, ...]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def _levels_in(files: Mapping[str, Path], weights: Mapping[int, Decimal]) -> tuple[JobLevel, ...]:
    """Return the levels that the two tables tell of.

    A copy of the project from before these columns has no names and no shares.
    """
    told = {name: {row["job_level"]: row for row in _rows_of(file)} for name, file in files.items()}
    levels, bands = told["job_levels"], told["market_bands"]
    found = []
    try:
        for number in range(1, max(len(levels), 1) + 1):
            row = {
                "name": f"Level {number}",
                "hire_share": str(weights.get(number, 0)),
                **bands[str(number)],
                **levels[str(number)],
            }
            values = {key: _decimal(row.get(key)) for key in JobLevel.model_fields}
            found.append(JobLevel.model_validate({**values, "name": row["name"]}))
        return distinct_levels(listed_levels(found))
    except (LookupError, ValueError, PydanticCustomError) as error:
        problems = [
            Problem(
                "does not tell of job levels 1, 2, 3, .. up to 30, each with its pay band",
                "Correct it: planalign simulate lists what is wrong with it",
                str(file),
            )
            for file in files.values()
        ]
        raise InputError("the job levels of the study cannot be read", problems) from error


def _share(entry: object) -> Decimal:
    """Return the weight in hires of a level; any where it is wrong, which is told elsewhere."""
    try:
        return weight(entry.get("hire_share") if isinstance(entry, Mapping) else None)
    except PydanticCustomError:
        return Decimal(1)


def _path(value: object, folder: Path) -> Path | None:
    return folder / value if isinstance(value, str | Path) and str(value) else None


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if value else None
    except InvalidOperation:
        return None


def _rows_of(file: Path) -> list[dict[str, str]]:
    """Return the rows of a table by column; none of a file that cannot be read."""
    return [*_packaged_rows(file.name)] if file.parent == _SEEDS else _read_rows(file)


@cache
def _packaged_rows(name: str) -> tuple[dict[str, str], ...]:
    return tuple(_read_rows(_SEEDS / name))


def _read_rows(file: Path) -> list[dict[str, str]]:
    try:
        content = read_regular(file).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(content, newline="")))
    except (OSError, ValueError, csv.Error) as error:
        # That is of the machine, and not of the table.
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            raise
        return []
    complete = [{key: value for key, value in row.items() if key and value} for row in rows]
    return [row for row in complete if row and "job_level" in row]
