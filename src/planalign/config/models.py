"""The configuration as a whole."""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from planalign.config.frozen import FrozenDict
from planalign.config.plan import Plan
from planalign.config.scalars import calendar_date, fault, text, whole
from planalign.config.schedule import Faults, Read, Setting, single
from planalign.config.sections import Compensation, Section, Simulation, Workforce

CENSUS_COLUMNS = (
    "employee_id",
    "birth_date",
    "hire_date",
    "annual_compensation",
    "job_level",
    "termination_date",
    "active",
    "department",
    "deferral_rate",
    "weekly_hours",
    "union",
    "prior_year_compensation",
    "ownership_percent",
    "officer",
    "balance_match",
    "balance_core",
)
BASELINE = "baseline"
STEPS_WITH_MODELS = ("setup", "baseline", "requirements", "events", "snapshot")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MEMORY = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([KMGT]i?)B", re.IGNORECASE)


def _path(value: object, where: Setting) -> Path:
    # The default is a path already; whatever comes from outside is text.
    written = value if isinstance(value, Path) else text("the path of a file or folder")(value)
    # Not resolve(): a symbolic link stays the name the user knows.
    return Path(os.path.abspath(where.folder / written))  # noqa: PTH100


def _optional_path(value: object, where: Setting) -> Path | None:
    return None if value is None else _path(value, where)


def _census_date(value: object, where: Setting) -> datetime.date | None:
    if value is None:
        return None
    found = calendar_date(value)
    if where.start_year is not None and found > datetime.date(where.start_year, 1, 1):
        raise fault(
            f"is later than January 1, {where.start_year}, the day the simulation begins",
            "Date the census no later, or begin with the year after it: what is known to have "
            "happened in a year cannot be simulated",
        )
    return found


def _columns(value: object) -> FrozenDict[str, str]:
    if value is None:
        return FrozenDict()
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {name of ours: name in the file}")
    faults = Faults()
    found = {key: faults.take(text("a column name"), name, key) for key, name in value.items()}
    for key in value:
        if key not in CENSUS_COLUMNS:
            near = difflib.get_close_matches(str(key)[:64], CENSUS_COLUMNS, 1)
            lead = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{lead}Census columns: {', '.join(CENSUS_COLUMNS)}"
            faults.add(fault("is not a census column", remedy), value[key], key)
    faults.check()
    return FrozenDict({key: found[key] or "" for key in CENSUS_COLUMNS if key in found})


def _memory_limit(value: object) -> str:
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    if match is None or not float(match[1]):
        raise fault("must be an amount of memory", "Write one such as 512MB, 4GB or 3.5GiB")
    return f"{match[1]}{match[2][0].upper()}{match[2][1:].lower()}B"


def _auto_or(most: int, what: str) -> Callable[[object], int | str]:
    """Return what reads `auto` or a number of, say, threads."""

    def read(value: object) -> int | str:
        if value == "auto":
            return "auto"
        if isinstance(value, str) or value is None:
            remedy = f"Write auto, or 1 to {most} without quotes"
            raise fault(f"must be auto or a number of {what}", remedy)
        return whole(1, most)(value)

    return read


def _models_at_once(value: object) -> FrozenDict[str, int]:
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {step: number}, such as {events: 1}")
    faults = Faults()
    found = {}
    for step, number in value.items():
        if step in STEPS_WITH_MODELS:
            found[str(step)] = faults.take(whole(1, 256), number, step)
        else:
            remedy = f"Steps that build models: {', '.join(STEPS_WITH_MODELS)}"
            faults.add(fault("is not a step that builds models", remedy), number, step)
    faults.check()
    return FrozenDict({step: number for step, number in found.items() if number is not None})


def name_of(what: str) -> Callable[[str], str]:
    """Return the check of the name of, say, a scenario."""

    def check(name: str) -> str:
        if _NAME.fullmatch(name):
            return name
        remedy = "Use a letter or digit, then up to 63 letters, digits, underscores or hyphens"
        raise fault(f"is not a name of {what}", remedy)

    return check


class Resources(Section):
    """How much of the machine a run may use; never changes a result."""

    memory_limit: Annotated[str, single(_memory_limit)] = "4GB"
    threads: Annotated[int | Literal["auto"], single(_auto_or(256, "threads"))] = "auto"
    models_at_once: Annotated[Mapping[str, int], single(_models_at_once)] = FrozenDict()
    employees_per_block: Annotated[
        int | Literal["auto"], single(_auto_or(1_000_000_000, "employees"))
    ] = "auto"

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes: GB are powers of ten, GiB of two."""
        match = _MEMORY.fullmatch(self.memory_limit)
        number, unit = (match[1], match[2]) if match else ("4", "G")
        base = 1024 if unit.endswith("i") else 1000
        return int(float(number) * base ** ("KMGT".index(unit[0].upper()) + 1))


class ScenarioSettings(Section):
    """What one scenario is simulated with: the sections a scenario may change."""

    workforce: Workforce = Workforce()
    compensation: Compensation = Compensation()
    plan: Plan = Plan()


class Config(Section):
    """A whole planalign.yaml.

    `load` and `parse` build it: they resolve paths, check values given by year
    against the first year, and fill `scenarios` with complete settings.
    """

    census: Annotated[Path, Read(_path)] = Path("census.parquet")
    census_columns: Annotated[Mapping[str, str], single(_columns)] = FrozenDict()
    census_date: Annotated[datetime.date | None, Read(_census_date)] = None
    dbt_project: Annotated[Path | None, Read(_optional_path)] = None
    simulation: Simulation = Simulation()
    workforce: Workforce = Workforce()
    compensation: Compensation = Compensation()
    plan: Plan = Plan()
    resources: Resources = Resources()
    scenarios: Annotated[
        Mapping[Annotated[str, AfterValidator(name_of("a scenario"))], ScenarioSettings],
        AfterValidator(FrozenDict),
    ] = FrozenDict({BASELINE: ScenarioSettings()})

    @property
    def effective_census_date(self) -> datetime.date:
        """The date the census describes: as given, or the day before the first year."""
        return self.census_date or datetime.date(self.simulation.start_year - 1, 12, 31)


def scenario_settings(config: Config) -> dict[str, ScenarioSettings]:
    """Return the complete settings of each scenario, in the order of the file."""
    return dict(config.scenarios)
