"""The configuration as a whole."""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from planalign.config import own
from planalign.config.frozen import FrozenDict
from planalign.config.levels import LEVEL_TABLES, JobLevel, distinct_levels, listed_levels
from planalign.config.plan import Plan
from planalign.config.scalars import Kind, calendar_date, fault, optional, text, whole
from planalign.config.schedule import (
    MOST_LEVELS,
    NAME,
    ByYear,
    Faults,
    Read,
    Setting,
    by_name_and_year,
    single,
)
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
    "enrollment_status",
    "enrolled_on",
    "rehire_date",
    "roth_share",
    "grade",
    "location",
)
BASELINE = "baseline"
STEPS_WITH_MODELS = ("setup", "baseline", "requirements", "events", "snapshot")

SCENARIOS = (
    "Scenarios to compare. Each has a name of letters, digits, _ and - (at most 64), and below "
    "it only the keys of `workforce`, `compensation`, `plan` and `parameters` that it changes. "
    "None given means a single one named `baseline`."
)

_MODELS = whole(1, 256, "models")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MEMORY = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([KMGTkmgt][iI]?)[bB]")


def _read_path(value: object) -> Path:
    # The default is a path already; whatever comes from outside is text.
    return value if isinstance(value, Path) else Path(text("the path of a file or folder")(value))


_path = Kind(_read_path, "", {"type": "string", "minLength": 1})


def _absolute(path: Path | None, where: Setting) -> Path | None:
    # Not resolve(): a symbolic link stays the name the user knows.
    return None if path is None else Path(os.path.abspath(where.folder / path))  # noqa: PTH100


def _read_tables(value: object) -> FrozenDict[str, Path]:
    if value is None:
        return FrozenDict()
    if not isinstance(value, Mapping):
        raise fault(
            "must be a mapping",
            "Write {table: file}, for example {market_bands: tables/market_bands.csv}",
        )
    faults = Faults()
    found = {str(name): faults.take(_read_path, file, name) for name, file in value.items()}
    faults.check()
    return FrozenDict({name: Path(found[name] or "") for name in sorted(found)})


def _known_tables(tables: Mapping[str, Path], where: Setting) -> Mapping[str, Path]:
    """Refuse what is no reference table of the study's project."""
    faults = Faults()
    for name, file in tables.items():
        if where.tables is not None and name not in where.tables:
            near = difflib.get_close_matches(name[:64], where.tables, 1)
            lead = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{lead}Reference tables: {', '.join(where.tables)}"
            faults.add(fault("is not a reference table", remedy), str(file), name)
    faults.check()
    return FrozenDict(
        {name: Path(os.path.abspath(where.folder / file)) for name, file in tables.items()}  # noqa: PTH100
    )


_tables = Kind(
    _read_tables,
    "",
    {
        "type": ["object", "null"],
        "patternProperties": {r"^[A-Za-z]\w*$": {"type": "string", "minLength": 1}},
        "additionalProperties": False,
    },
)


def _not_after_start(date: datetime.date | None, where: Setting) -> datetime.date | None:
    if date and where.start_year is not None and date > datetime.date(where.start_year, 1, 1):
        raise fault(
            f"is later than January 1, {where.start_year}, the day the simulation begins",
            "Date the census no later, or begin with the year after it: what is known to have "
            "happened in a year cannot be simulated",
        )
    return date


def _columns(value: object) -> FrozenDict[str, str]:
    if value is None:
        return FrozenDict()
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {name of ours: name in the file}")
    faults = Faults()
    found = {key: faults.take(text("a column name"), name, key) for key, name in value.items()}
    faults.check()
    order = dict.fromkeys((*CENSUS_COLUMNS, *found))
    return FrozenDict({key: found[key] or "" for key in order if key in found})


def _known_columns(columns: Mapping[str, str], where: Setting) -> Mapping[str, str]:
    """Refuse what is neither a column of ours nor one that the study adds."""
    known = (*CENSUS_COLUMNS, *where.extra_columns)
    faults = Faults()
    for key, name in columns.items():
        if key not in known:
            near = difflib.get_close_matches(str(key)[:64], known, 1)
            lead = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{lead}Census columns: {', '.join(known)}; more under extra_columns"
            faults.add(fault("is not a census column", remedy), name, key)
    faults.check()
    return columns


_REQUIRED, _FURTHER = CENSUS_COLUMNS[:5], CENSUS_COLUMNS[5:]
_census_columns = Kind(
    _columns,
    "",
    {
        "type": ["object", "null"],
        "properties": {name: {"type": "string", "minLength": 1} for name in CENSUS_COLUMNS},
        # Of extra_columns.
        "patternProperties": {f"^{NAME.pattern}$": {"type": "string", "minLength": 1}},
        "additionalProperties": False,
    },
)


def _memory_limit(value: object) -> str:
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    if match is None or not float(match[1]):
        raise fault("must be an amount of memory", "Write one such as 512MB, 4GB or 3.5GiB")
    return f"{match[1]}{match[2][0].upper()}{match[2][1:].lower()}B"


_memory = Kind(_memory_limit, "", {"type": "string", "pattern": f"^{_MEMORY.pattern}$"})


def _auto_or(most: int, what: str) -> Kind[int | str]:
    """Return the kind of `auto` or a number of, say, threads."""
    count = whole(1, most, what)

    def read(value: object) -> int | str:
        if value == "auto":
            return "auto"
        if isinstance(value, str) or value is None:
            remedy = f"Write auto, or 1 to {most} without quotes"
            raise fault(f"must be auto or a number of {what}", remedy)
        return count(value)

    return Kind(read, f"`auto`, or {count.words}", {"anyOf": [{"const": "auto"}, count.schema]})


def _models_at_once(value: object) -> FrozenDict[str, int]:
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {step: number}, such as {events: 1}")
    faults = Faults()
    found = {}
    for step, number in value.items():
        if step in STEPS_WITH_MODELS:
            found[str(step)] = faults.take(_MODELS, number, step)
        else:
            remedy = f"Steps that build models: {', '.join(STEPS_WITH_MODELS)}"
            faults.add(fault("is not a step that builds models", remedy), number, step)
    faults.check()
    return FrozenDict({step: number for step, number in found.items() if number is not None})


_by_step = Kind(
    _models_at_once,
    _MODELS.words,
    {
        "type": "object",
        "properties": dict.fromkeys(STEPS_WITH_MODELS, _MODELS.schema),
        "additionalProperties": False,
    },
)


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

    memory_limit: Annotated[
        str,
        single(_memory),
        Field(description="Memory the database may use, such as `512MB`, `4GB` or `3.5GiB`."),
    ] = "4GB"
    threads: Annotated[
        int | Literal["auto"],
        single(_auto_or(256, "threads")),
        Field(description="Threads the database may use: {values}."),
    ] = "auto"
    workers: Annotated[
        int | Literal["auto"],
        single(_auto_or(256, "processes")),
        Field(
            description="Processes that take blocks of scenarios and replicates through the years "
            "side by side, with their share of threads and memory: {values}. `auto` takes several "
            "where that pays, which needs more than two threads; only the runner `direct` has them."
        ),
    ] = "auto"
    models_at_once: Annotated[
        Mapping[str, int],
        single(_by_step),
        Field(
            description="How many models of a step may run side by side, {values}, by step "
            f"({', '.join(f'`{step}`' for step in STEPS_WITH_MODELS)}), where memory is short: "
            "`{events: 1, snapshot: 1}`. A step that is left out takes as many as there are "
            "threads."
        ),
    ] = FrozenDict()
    employees_per_block: Annotated[
        int | Literal["auto"],
        single(_auto_or(1_000_000_000, "employees")),
        Field(
            description="Scenarios and replicates go through a year in blocks of so many opening "
            "employees together, one scenario and replicate at least: {values}. With `auto`, "
            "what the memory limit holds."
        ),
    ] = "auto"

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes: GB are powers of ten, GiB of two."""
        match = _MEMORY.fullmatch(self.memory_limit)
        number, unit = (match[1], match[2]) if match else ("4", "G")
        base = 1024 if unit.endswith("i") else 1000
        return int(float(number) * base ** ("KMGT".index(unit[0].upper()) + 1))


Parameters = Annotated[
    Mapping[str, ByYear[own.Parameter]],
    by_name_and_year(own.parameter),
    Field(
        description="Values of your own for your own models, by name: {values}, each by year if "
        "you like, for example `{attrition_factor: 1.4, hub: {2025: Austin, 2027: Denver}}`. A "
        "scenario changes those that it names."
    ),
]


class ScenarioSettings(Section):
    """What one scenario is simulated with: the sections a scenario may change."""

    workforce: Workforce = Workforce()
    compensation: Compensation = Compensation()
    plan: Plan = Plan()
    parameters: Parameters = FrozenDict()


class Config(Section):
    """A whole planalign.yaml.

    `load` and `parse` build it: they resolve paths, check values given by year
    against the first year, and fill `scenarios` with complete settings.
    """

    census: Annotated[
        Path,
        Read(_path, check=_absolute),
        Field(
            description="The census: a file ending in `.parquet`, `.csv` or `.csv.gz`. A relative "
            "path starts at the folder of this file."
        ),
    ] = Path("census.parquet")
    census_columns: Annotated[
        Mapping[str, str],
        Read(_census_columns, check=_known_columns),
        Field(
            description="Names of census columns that differ in your file, as ours: yours, for "
            "example `{employee_id: EMP_NO, annual_compensation: BASE_PAY}`. Ours are "
            f"{', '.join(_REQUIRED)}, and where there are any {', '.join(_FURTHER)}."
        ),
    ] = FrozenDict()
    extra_columns: Annotated[
        Mapping[str, str],
        single(own.extra_columns),
        Field(
            description="Further columns of the census by name, each with its type: {values}, for "
            "example `{cost_center: text, shift: integer}`. They are carried to the snapshot and "
            "to hires, and your own models may use them."
        ),
    ] = FrozenDict()
    census_date: Annotated[
        datetime.date | None,
        Read(optional(calendar_date), check=_not_after_start),
        Field(
            description="The day the census describes, as year-month-day; later dates in it are "
            "refused. `null` means December 31 before `start_year`; January 1 of it is the latest."
        ),
    ] = None
    dbt_project: Annotated[
        Path | None,
        Read(optional(_path), check=_absolute),
        Field(
            title="Model project",
            description="The folder of your own copy of the model project, to run instead of the "
            "one that comes with planalign; `null` for the latter.",
        ),
    ] = None
    models: Annotated[
        Path | None,
        Read(optional(_path), check=_absolute),
        Field(
            title="Own models",
            description="A folder of your own marts, rules, macros and reference tables, which is "
            "laid over the model project by name; `null` for none.",
        ),
    ] = None
    job_levels: Annotated[
        tuple[JobLevel, ...],
        BeforeValidator(listed_levels),
        AfterValidator(distinct_levels),
        Field(
            description="The job levels of the study, the lowest first, at most "
            f"{MOST_LEVELS}: the first is level 1. The same for every scenario. `[]`: those of the "
            "[reference tables](../how-to/job-levels.md) `job_levels` and `market_bands`, five of "
            "them."
        ),
    ] = ()
    tables: Annotated[
        Mapping[str, Path],
        Read(_tables, check=_known_tables),
        Field(
            title="Own reference tables",
            description="CSV files of your own in place of "
            "[reference tables](../method/sources.md), by the name of the table, for example "
            "`{termination_hazards: tables/termination_hazards.csv}`.",
        ),
    ] = FrozenDict()
    simulation: Simulation = Simulation()
    workforce: Workforce = Workforce()
    compensation: Compensation = Compensation()
    plan: Plan = Plan()
    parameters: Parameters = FrozenDict()
    resources: Annotated[Resources, Field(description="These never change a result.")] = Resources()
    scenarios: Annotated[
        Mapping[Annotated[str, AfterValidator(name_of("a scenario"))], ScenarioSettings],
        AfterValidator(FrozenDict),
        Field(description=SCENARIOS),
    ] = FrozenDict({BASELINE: ScenarioSettings()})

    @field_validator("tables")
    @classmethod
    def _without_levels(
        cls, tables: Mapping[str, Path], info: ValidationInfo
    ) -> Mapping[str, Path]:
        """Refuse tables of what the key `job_levels` says."""
        faults = Faults()
        for name in LEVEL_TABLES:
            if name in tables and info.data.get("job_levels"):
                remedy = "Remove it here, or remove the key job_levels"
                error = fault("stands under job_levels, too", remedy)
                faults.add(error, str(tables[name]), name)
        faults.check()
        return tables

    @property
    def effective_census_date(self) -> datetime.date:
        """The date the census describes: as given, or the day before the first year."""
        return self.census_date or datetime.date(self.simulation.start_year - 1, 12, 31)


def scenario_settings(config: Config) -> dict[str, ScenarioSettings]:
    """Return the complete settings of each scenario, in the order of the file."""
    return dict(config.scenarios)
