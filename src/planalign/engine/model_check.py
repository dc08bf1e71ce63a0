"""Plan every statement of a compiled project on empty tables, before anything is simulated."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import duckdb

from planalign import duck
from planalign.engine.dbt_rules import problem
from planalign.engine.pipeline import DataTest, Materialization
from planalign.engine.statements import PURE_TABLE_FUNCTIONS, Reader
from planalign.engine.templates import is_sql, is_yaml, line_of_model, source_lines
from planalign.errors import Problem
from planalign.interruption import is_interruption

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from planalign.engine.pipeline import Model, Pipeline
    from planalign.engine.project import Project
    from planalign.engine.statements import Mention, Reading

# What DuckDB says of a column that is not there, and a name with those of its tables.
_NO_COLUMN = re.compile(r"Referenced column .* not found|.* does not have a column named")
_QUALIFIED = re.compile(r'(?:(?:\w+|"[^"]*")\s*\.\s*)*"?(\w+)"?')
# Where DuckDB says in which line of the statement it stumbled.
_LINE = re.compile(r"\s*\n\s*LINE (\d+):.*", re.DOTALL)


def build_empty(pipeline: Pipeline, connection: duckdb.DuckDBPyConnection) -> None:
    """Build the project without rows in a database in memory, to plan its queries on.

    Raises:
        duckdb.Error: a statement cannot be executed.
    """
    _prepare(pipeline, connection)
    for model in pipeline.yearly_facts:
        connection.execute(model.create_statement())
    for model in pipeline.models:
        _build(model, connection)


def _prepare(pipeline: Pipeline, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("attach ':memory:' as results; use results; create schema inputs")
    for source in pipeline.sources:
        connection.execute(source.create_statement())
    for seed in pipeline.seeds:
        if seed.columns:  # else a fault of its own
            columns = ", ".join(column.ddl for column in seed.columns)
            connection.execute(f"create table {seed.relation} ({columns})")


def _build(model: Model, connection: duckdb.DuckDBPyConnection) -> None:
    if model.materialization is not Materialization.YEARLY:
        connection.execute(model.statements()[0])
    for statement in model.index_statements():
        connection.execute(statement)


@dataclass
class _Check:
    """One pass over a project: what is found, and the models that are faulty or unsure.

    Of the latter a stand-in is built as far as can be, so that all faults are found at once:
    without the columns that are missing, and in what reads it, a fault is told only if that
    cannot come from there.
    """

    pipeline: Pipeline
    project: Project
    relations: Mapping[str, Collection[str]]
    connection: duckdb.DuckDBPyConnection
    reader: Reader
    broken: set[str] = field(default_factory=set)

    def problems(self) -> Iterator[Problem]:
        """Look at each model and each test that does not rest on a broken one."""
        for fact in self.pipeline.yearly_facts:
            try:
                self.connection.execute(fact.create_statement())
            except duckdb.Error as error:
                self.broken.add(fact.name)
                yield self._failure(fact, error)
        for model in self.pipeline.models:
            if model.name in self.broken:
                continue
            is_sure = not self._rests_on_unsure(model)
            found = [*self._of_model(model, is_sure)]
            if found or not is_sure:
                self.broken.add(model.name)
            yield from found
        for test in self.pipeline.tests:
            if not self._rests_on_broken(test):
                yield from self._of_test(test)

    def _rests_on_unsure(self, model: Model) -> bool:
        """Say whether a model reads a faulty one, or one that is refused and not here."""
        names = {one.name for one in self.pipeline.models}
        names |= {one.name for one in self.pipeline.seeds}
        there = {f"results.main.{name}".lower() for name in names - self.broken}
        return any(
            name.startswith("results.main.") and name not in there
            for name in self.relations[model.name]
        )

    def _rests_on_broken(self, test: DataTest) -> bool:
        return any(f'"main"."{name}"' in test.sql for name in self.broken)

    def _of_model(self, model: Model, is_sure: bool) -> Iterator[Problem]:
        refused = [*self._mentions(model)]
        yield from refused
        planned, failures = self._plan(model)
        for number, (missing, failure) in enumerate(failures):
            is_first = is_sure and number == 0
            is_own = is_first or (missing and missing not in self._words_below(model))
            if is_own and not refused:  # else it is planned for a stand-in only
                yield failure
        is_sound = planned == model.sql and is_sure and not refused
        try:
            if is_sound and model.materialization is Materialization.YEARLY:
                rows = self.connection.execute(f"describe\n{model.sql}").fetchall()
                yield from self._against_contract(model, {row[0]: row[1] for row in rows})
            if is_sound:
                _build(model, self.connection)  # its indexes too
            elif planned is not None:
                _build(replace(model, sql=planned, indexes=()), self.connection)
        except duckdb.Error as error:
            failure = self._failure(model, error)
            if is_sound:  # else there is no stand-in
                yield failure

    def _plan(self, model: Model) -> tuple[str | None, list[tuple[str, Problem]]]:
        """Plan a model, with nulls for the columns that are not there.

        Returns the SQL that can be planned, if any, and each failure with the name of the
        column that is missing, if that is it. Behind the first only such are told, once each.
        """
        sql, failures = model.sql, dict[str, Problem]()
        while True:
            try:
                self.connection.execute(f"describe\n{sql}")
            except duckdb.Error as error:
                place = self._missing_column(sql)
                if place is None:
                    if not failures:
                        failures[""] = self._failure(model, error)
                    return None, [*failures.items()]
                name, start, end = place
                failures.setdefault(name, self._failure(model, error))
                content = sql.encode()
                sql = (content[:start] + b"null" + content[end:]).decode()
            else:
                return sql, [*failures.items()]

    def _missing_column(self, sql: str) -> tuple[str, int, int] | None:
        """Return the column that keeps a statement from being planned, and its bytes there."""
        before = "describe\n"
        self.connection.execute("set errors_as_json = true")
        try:
            self.connection.execute(before + sql)
        except duckdb.Error as error:
            text = str(error).partition(": ")[2]
            told = json.loads(text) if text.startswith("{") else {}
        else:
            return None
        finally:
            self.connection.execute("set errors_as_json = false")
        if "position" not in told or not _NO_COLUMN.match(told["exception_message"]):
            return None
        start = int(told["position"]) - len(before)
        found = _QUALIFIED.match(sql.encode()[start:].decode())
        if found is None or found[0].lower() == "null":
            return None
        return found[1].lower(), start, start + len(found[0].encode())

    def _words_below(self, model: Model) -> set[str]:
        """Return the words of what a model rests on, each of which may be a column of it."""
        by_name = {one.name: one for one in self.pipeline.models}
        below, waiting = set[str](), [*model.depends_on]
        while waiting:
            name = waiting.pop()
            if name not in below:
                below.add(name)
                waiting += by_name[name].depends_on
        words = {word for name in below for word in re.findall(r"\w+", by_name[name].sql.lower())}
        of_tables = [one.columns for one in self.pipeline.sources]
        of_tables += [one.columns for one in self.pipeline.seeds]
        of_tables += [one.columns for one in self.pipeline.yearly_facts]
        return words | {column.name.lower() for columns in of_tables for column in columns}

    def _of_test(self, test: DataTest) -> Iterator[Problem]:
        refused = [*self._mentions(test)]
        yield from refused
        if refused:
            return
        try:
            # The query itself first, so that a line is one of its own.
            for statement in (f"explain\n{test.sql}", f"explain {test.statement}"):
                self.connection.execute(statement)
        except duckdb.Error as error:
            yield self._failure(test, error)

    def _against_contract(self, model: Model, found: Mapping[str, str]) -> Iterator[Problem]:
        """Compare a fact with its contract, as dbt does on every run."""
        rows = self.connection.execute(f"describe {model.relation}").fetchall()
        declared = {row[0]: row[1] for row in rows}
        for name in sorted(found.keys() | declared.keys()):
            if found.get(name) != declared.get(name):
                file, line = self._declaration(model, name)
                contract, given = declared.get(name, "absent"), found.get(name, "absent")
                yield Problem(
                    f"model {model.name} breaks its contract: {name}: contract {contract}, "
                    f"model {given}",
                    "Change the model or its contract",
                    str(file),
                    line,
                )

    def _declaration(self, model: Model, column: str) -> tuple[Path, int | None]:
        """Return where a column of a model is declared, or else its model, or else that."""
        for path in self.project.files:
            if is_yaml(path):
                place = self.project.place(path.relative_to(self.project.folder).as_posix())
                line = line_of_model(place, model.name, column)
                if line is not None:
                    return place, line
        return self.project.place(model.path), None

    def _mentions(self, one: Model | DataTest) -> Iterator[Problem]:
        """Look at the tables and functions that a statement mentions, before it is planned."""
        reading = self.reader.read(one.sql)
        if reading is None:  # also where its syntax is wrong, which planning tells
            yield from self._not_read(one, one.sql)
            return
        yield from self._of_reading(one, reading)
        if isinstance(one, DataTest):  # what is executed has its conditions too
            whole = self.reader.read(one.statement)
            if whole is None:
                yield from self._not_read(one, one.statement)
            else:
                yield from self._of_reading(one, whole.beyond(reading))

    def _of_reading(self, one: Model | DataTest, reading: Reading) -> Iterator[Problem]:
        what = f"{_kind(one)} {one.name}"
        if reading.samples:
            yield self._refusal(one, "sample", f"{what} takes a sample", None)
        for mention in reading.catalogue:
            words = f"{what} reads {mention.name} in its from"
            yield self._refusal(one, "query", words, mention)
        allowed = self.relations[one.name]
        for mention in reading.tables:
            if mention.name not in allowed:
                yield self._refusal(one, "table", f"{what} reads {mention.name}", mention)
        for mention in reading.table_functions:
            is_catalogue = isinstance(one, DataTest) and mention.name.startswith("duckdb_")
            if mention.name not in PURE_TABLE_FUNCTIONS and not is_catalogue:
                yield self._refusal(
                    one, "table function", f"{what} reads {mention.name}()", mention
                )
        for mention in reading.functions:
            if self.reader.is_changing(mention):
                yield self._refusal(one, "volatile", f"{what} calls {mention.name}()", mention)
        for mention in reading.bare:
            if self.reader.is_value(mention.name):
                words = f"{what} reads {mention.name}, a function where no column has the name"
                yield self._refusal(one, "volatile", words, mention)

    def _not_read(self, one: Model | DataTest, sql: str) -> Iterator[Problem]:
        try:
            self.connection.execute(f"explain\n{sql}")
        except duckdb.ParserException as error:
            yield self._failure(one, error)
            return
        except duckdb.Error as error:
            if is_interruption(error):
                raise
        yield self._refusal(one, "query", f"{_kind(one)} {one.name} is no plain query", None)

    def _refusal(
        self, one: Model | DataTest, rule: str, message: str, mention: Mention | None
    ) -> Problem:
        path = self.project.place(one.path)
        lines = self._lines(one, mention.line if mention else None)
        return self._blamed(
            one, problem(rule, message + _between(lines), path, lines[0] if lines else None)
        )

    def _blamed(self, one: Model | DataTest, found: Problem) -> Problem:
        """Return a problem of what is ours as one of the study's own model that it reads.

        For ours were sound before that was laid over them.
        """
        if self.project.is_laid_over(one.path):
            return found
        by_name = {model.name: model for model in self.pipeline.models}
        waiting = [name for name in by_name if f'"main"."{name}"' in one.sql]
        for name in waiting:  # those nearest first
            model = by_name[name]
            if self.project.is_laid_over(model.path):
                words = f"{found.message} (it reads {name}, which is your own)"
                return replace(
                    found, message=words, file=str(self.project.place(model.path)), line=None
                )
            waiting += [below for below in model.depends_on if below not in waiting]
        return found

    def _failure(self, one: Model | DataTest, error: duckdb.Error) -> Problem:
        """Return DuckDB's sentence, and the line of the file that it is about.

        In the statement that failed, one line stands before those of the model.
        """
        if is_interruption(error):
            raise error
        text = str(error)
        found = _LINE.search(text)
        lines = self._lines(one, int(found[1]) - 1 if found else None)
        sentence = " ".join(_LINE.sub("", text).split())
        failure = Problem(
            f"{_kind(one)} {one.name}: {sentence}{_between(lines)}",
            "Mend the SQL; DuckDB names no line of it" if lines is None else "Mend the SQL",
            str(self.project.place(one.path)),
            lines[0] if lines else None,
        )
        return self._blamed(one, failure)

    def _lines(self, one: Model | DataTest, line: int | None) -> tuple[int, int] | None:
        path = self.project.place(one.path)
        if line is None or not is_sql(path):
            return None
        return source_lines(path.read_text(encoding="utf-8"), one.sql, line)


def _kind(one: Model | DataTest) -> str:
    return "test" if isinstance(one, DataTest) else "model"


def _between(lines: tuple[int, int] | None) -> str:
    if lines is None or lines[0] == lines[1]:
        return ""
    return f" (between lines {lines[0]} and {lines[1]}, in what Jinja gives there)"


def problems_of(
    pipeline: Pipeline, project: Project, relations: Mapping[str, Collection[str]]
) -> list[Problem]:
    """Return all that keeps models and tests from being planned, or from being alike everywhere.

    Of a model that reads a faulty one, what cannot come from there; the rest when that is mended.

    Args:
        pipeline: the compiled project, or what could be read of it.
        project: where its files are.
        relations: what each model and test says that it reads, by name.
    """
    with duck.connect(threads="1") as connection:
        reader = Reader(connection)
        _prepare(pipeline, connection)
        connection.execute("set enable_external_access = false")  # nothing but the project's
        return [*_Check(pipeline, project, relations, connection, reader).problems()]
