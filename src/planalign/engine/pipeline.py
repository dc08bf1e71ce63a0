"""The compiled project: models, tests, seeds and sources as plain values.

A pipeline is made once from dbt's manifest and kept as JSON. It holds what the
`direct` runner executes, and the order in which every runner goes through a year.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planalign.errors import EnvironmentFaultError
from planalign.files import make_folder, protect
from planalign.marts.declaration import Mart, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

FORMAT = 7


class Step(StrEnum):
    """The seven steps of a simulated year, in their order."""

    SETUP = "setup"
    TRANSITION = "transition"
    BASELINE = "baseline"
    REQUIREMENTS = "requirements"
    EVENTS = "events"
    SNAPSHOT = "snapshot"
    VALIDATION = "validation"


class Materialization(StrEnum):
    """How a model reaches the database."""

    TABLE = "table"
    VIEW = "view"
    YEARLY = "yearly"


@dataclass(frozen=True)
class Column:
    """A declared column: of a contract, a source or a seed."""

    name: str
    data_type: str
    not_null: bool = False

    @property
    def ddl(self) -> str:
        """Return the column as it stands in `create table`."""
        return f'"{self.name}" {self.data_type}{" not null" if self.not_null else ""}'


@dataclass(frozen=True)
class Model:
    """One model: its step, its compiled SQL and how it is materialised.

    `mart` is what a yearly fact declares to those who read it.
    """

    name: str
    step: Step
    path: str
    materialization: Materialization
    sql: str
    depends_on: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    database: str = "results"
    mart: Mart | None = None

    @property
    def is_intermediate(self) -> bool:
        """Say whether the model is rebuilt each year and dropped with it."""
        return self.step is not Step.SETUP and self.materialization is not Materialization.YEARLY

    @property
    def relation(self) -> str:
        """Return the quoted name of the model's relation, as dbt writes it."""
        return f'"{self.database}"."main"."{self.name}"'

    @property
    def has_year(self) -> bool:
        """Say whether the rows of a fact belong to a year (all but dimensions do)."""
        return any(column.name == "simulation_year" for column in self.columns)

    @property
    def has_replicate(self) -> bool:
        """Say whether the rows of a fact belong to a replicate."""
        return any(column.name == "replicate" for column in self.columns)

    def create_statement(self) -> str:
        """Return the `create table if not exists` of a yearly fact."""
        columns = ", ".join(column.ddl for column in self.columns)
        return f"create table if not exists {self.relation} ({columns})"

    def delete_statement(self) -> str:
        """Return the statement that removes the block's rows from the year on."""
        year = (
            "simulation_year >= (select simulation_year from inputs.control) and "
            if self.has_year
            else ""
        )
        key = "(scenario_id, replicate)" if self.has_replicate else "(scenario_id)"
        return (
            f"delete from {self.relation} where {year}{key} in "  # noqa: S608 - compiled names
            f"(select {key.strip('()')} from inputs.trajectories)"
        )

    def statements(self) -> tuple[str, ...]:
        """Return the statements that build the model for the control year.

        They do what dbt does with the materialisation: same columns, order and
        types; a yearly fact is inserted by name under its contract.
        """
        if self.materialization is Materialization.YEARLY:
            names = ", ".join(f'"{column.name}"' for column in self.columns)
            return (
                self.delete_statement(),
                f"insert into {self.relation} ({names}) select {names} from (\n{self.sql}\n)",  # noqa: S608 - compiled names
            )
        kind = self.materialization.value
        return (f"create or replace {kind} {self.relation} as (\n{self.sql}\n)",)

    def index_statements(self) -> tuple[str, ...]:
        """Return the statements that index the columns of a table that was built.

        No model has a name with a space, so that no two indexes have one name.
        """
        return tuple(
            f'create index "{self.name} {number}" on {self.relation} ({", ".join(columns)})'
            for number, columns in enumerate(self.indexes, start=1)
        )


@dataclass(frozen=True)
class DataTest:
    """A dbt data test: a query that finds the rows that should not be there.

    One that is not `in_years` is for `dbt build`, `dbt test` and the suite alone.
    """

    name: str
    step: Step
    path: str
    sql: str
    fail_calc: str = "count(*)"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    severity: str = "ERROR"
    limit: int | None = None
    in_years: bool = True

    @property
    def is_of_reference_table(self) -> bool:
        """Say whether the test is of what a seed holds, declared beside it."""
        return self.path.startswith("seeds/")

    @property
    def statement(self) -> str:
        """Return the query for (failures, should warn, should fail), as dbt asks."""
        limit = "" if self.limit is None else f" limit {self.limit}"
        return (
            f"select {self.fail_calc} as failures, {self.fail_calc} {self.warn_if}, "  # noqa: S608 - compiled names
            f"{self.fail_calc} {self.error_if} from (\n{self.sql}\n{limit}) as failing_rows"
        )


@dataclass(frozen=True)
class Seed:
    """A reference table that ships as CSV in the project."""

    name: str
    path: str
    columns: tuple[Column, ...]

    @property
    def relation(self) -> str:
        """Return the quoted name of the seed's relation."""
        return f'"main"."{self.name}"'


@dataclass(frozen=True)
class Source:
    """A table of schema `inputs` that the engine writes."""

    name: str
    columns: tuple[Column, ...]

    @property
    def relation(self) -> str:
        """Return the quoted name of the source's relation."""
        return f'"inputs"."{self.name}"'

    def create_statement(self) -> str:
        """Return the statement that (re)creates the empty table."""
        columns = ", ".join(column.ddl for column in self.columns)
        return f"create or replace table {self.relation} ({columns})"


@dataclass(frozen=True)
class Pipeline:
    """A compiled project. `models` is in dependency order.

    `fingerprint` covers the project's files and the versions that compiled them,
    `files_fingerprint` the files alone, `models_fingerprint` all in them that can change
    a result: what they were compiled to, without comments, but for the reference tables.
    """

    fingerprint: str
    files_fingerprint: str
    sources: tuple[Source, ...]
    seeds: tuple[Seed, ...]
    models: tuple[Model, ...]
    tests: tuple[DataTest, ...]
    models_fingerprint: str = ""

    @cached_property
    def yearly_facts(self) -> tuple[Model, ...]:
        """Return the models to which each year appends."""
        return tuple(m for m in self.models if m.materialization is Materialization.YEARLY)

    @property
    def marts(self) -> tuple[Mart, ...]:
        """Return what the facts declare to those who read them."""
        return tuple(fact.mart for fact in self.yearly_facts if fact.mart is not None)

    @cached_property
    def intermediates(self) -> tuple[Model, ...]:
        """Return the models that live for one year only."""
        return tuple(m for m in self.models if m.is_intermediate)

    def with_intermediates_in(self, database: str) -> Pipeline:
        """Return the pipeline with what lives for one year moved to another database.

        Only names change: every mention of such a relation is quoted in full.
        """
        moved = {
            model.relation: replace(model, database=database).relation
            for model in self.intermediates
        }

        def moved_in(sql: str) -> str:
            for relation, new in moved.items():
                sql = sql.replace(relation, new)
            return sql

        return replace(
            self,
            models=tuple(
                replace(
                    model,
                    sql=moved_in(model.sql),
                    database=database if model.is_intermediate else model.database,
                )
                for model in self.models
            ),
            tests=tuple(replace(test, sql=moved_in(test.sql)) for test in self.tests),
        )

    def with_places(self, place: Callable[[str], str]) -> Pipeline:
        """Return the pipeline with the files of its models and tests as a user knows them.

        Args:
            place: gives that of a path of the project.
        """
        return replace(
            self,
            models=tuple(replace(one, path=place(one.path)) for one in self.models),
            tests=tuple(
                one if one.is_of_reference_table else replace(one, path=place(one.path))
                for one in self.tests
            ),
        )

    def source(self, name: str) -> Source:
        """Return a source by name."""
        return next(source for source in self.sources if source.name == name)

    def groups(self, step: Step) -> list[tuple[Model, ...]]:
        """Return the step's models as topological levels, each in name order.

        Models of one level do not depend on each other.
        """
        return _levels([model for model in self.models if model.step is step])

    @cached_property
    def group_numbers(self) -> dict[str, int]:
        """Return the topological level of each model within its step, from 0."""
        return {
            model.name: level
            for step in Step
            for level, group in enumerate(self.groups(step))
            for model in group
        }

    def needs_within(self, steps: Collection[Step]) -> dict[str, tuple[str, ...]]:
        """Return, for each model of some steps, those of the same steps that it reads."""
        names = {model.name for model in self.models if model.step in steps}
        return {
            model.name: tuple(name for name in model.depends_on if name in names)
            for model in self.models
            if model.step in steps
        }

    def tests_of(self, step: Step) -> tuple[DataTest, ...]:
        """Return the data tests that every runner runs at a step.

        Those of reference tables have passed when the project was compiled.
        """
        return tuple(
            test
            for test in self.tests
            if test.step is step and test.in_years and not test.is_of_reference_table
        )

    def save(self, path: Path) -> None:
        """Write the pipeline as JSON, whole or not at all."""
        make_folder(path.parent)
        # A name of its own: two processes may compile the same project at once.
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            partial.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1))
            protect(partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Pipeline:
        """Read a pipeline.

        Raises:
            EnvironmentFaultError: the file is no pipeline of this version.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.pop("format") != FORMAT:
                raise KeyError("format")
            return cls(
                fingerprint=data["fingerprint"],
                files_fingerprint=data["files_fingerprint"],
                sources=tuple(Source(s["name"], _columns(s["columns"])) for s in data["sources"]),
                seeds=tuple(
                    Seed(s["name"], s["path"], _columns(s["columns"])) for s in data["seeds"]
                ),
                models=tuple(_model(m) for m in data["models"]),
                tests=tuple(DataTest(**{**t, "step": Step(t["step"])}) for t in data["tests"]),
                models_fingerprint=data["models_fingerprint"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFaultError(
                f"{path} is no compiled pipeline of this version ({error})",
                "Delete the file; it is compiled again.",
            ) from error


def _columns(data: Iterable[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(**column) for column in data)


def _model(data: dict[str, Any]) -> Model:
    return Model(
        **{
            **data,
            "step": Step(data["step"]),
            "materialization": Materialization(data["materialization"]),
            "depends_on": tuple(data["depends_on"]),
            "columns": _columns(data["columns"]),
            "indexes": tuple(tuple(columns) for columns in data["indexes"]),
            "mart": data["mart"] and _mart(data["mart"]),
        }
    )


def _mart(data: dict[str, Any]) -> Mart:
    return Mart(
        **{
            **data,
            "key": tuple(data["key"]),
            "order": tuple(data["order"]),
            "sheet": data["sheet"] and Sheet(**data["sheet"]),
            "columns": tuple((name, text) for name, text in data["columns"]),
        }
    )


def _levels(models: Sequence[Model]) -> list[tuple[Model, ...]]:
    level: dict[str, int] = {}
    for model in models:  # in dependency order
        level[model.name] = max(
            (level[name] + 1 for name in model.depends_on if name in level), default=0
        )
    groups: dict[int, list[Model]] = {}
    for model in models:
        groups.setdefault(level[model.name], []).append(model)
    return [tuple(sorted(groups[n], key=lambda m: m.name)) for n in sorted(groups)]
