"""Compile the dbt project into a pipeline, once per fingerprint.

dbt runs as a process of its own: its parser leaves a process-wide adapter
behind, and a warm start must not import it at all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from planalign import duck
from planalign.engine.folders import cache_folder
from planalign.engine.pipeline import (
    Column,
    DataTest,
    Materialization,
    Model,
    Pipeline,
    Seed,
    Source,
    Step,
)
from planalign.engine.reference_tables import check_reference_tables
from planalign.errors import EnvironmentFaultError, ModelError
from planalign.results.database import MART_PREFIXES
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planalign.engine.project import Project

SHIPPED = Path(__file__).parent / "pipeline.json"

# Configuration keys of a model that `direct` does not reproduce; any value but
# the empty one is refused, so that no runner does silently less than another.
_UNSUPPORTED = (
    "pre-hook", "post-hook", "sql_header", "unique_key", "partition_by",
    "sorted_by", "options",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Text in a model's source that would make its SQL depend on the run.
_DYNAMIC = ("is_incremental(", "run_query(", "var(", "statement(", "env_var(")


def pipeline_for(project: Project, compiling: Callable[[], None] = lambda: None) -> Pipeline:
    """Return the compiled pipeline of a project: shipped, cached, or compiled now.

    Args:
        project: what to compile.
        compiling: called before dbt is started, which takes seconds.

    Raises:
        EnvironmentFaultError: dbt cannot be started.
        InputError: the reference tables have problems.
        ModelError: the project cannot be compiled.
    """
    found = _find_compiled(project)
    if found is None:
        compiling()
        found = compile_project(project)
        with suppress(OSError):  # a full disk or a read-only one: compiled anew the next time
            found.save(_cached(project))
    return found


def _find_compiled(project: Project) -> Pipeline | None:
    """Return the pipeline that is there already.

    The shipped one was compiled by the dbt that the package was built with, which
    need not be the one installed: its files decide. A damaged file, or one of
    another version, is as good as not there.
    """
    shipped = _loaded(SHIPPED)
    if shipped is not None and shipped.files_fingerprint == project.files_fingerprint:
        return shipped  # which needs no cache folder
    cached = _loaded(_cached(project))
    if cached is not None and cached.fingerprint == project.fingerprint:
        return cached
    return None


def _loaded(path: Path) -> Pipeline | None:
    if not path.is_file():
        return None
    try:
        return Pipeline.load(path)
    except EnvironmentFaultError:
        return None


def _cached(project: Project) -> Path:
    return cache_folder() / "pipelines" / f"{project.fingerprint}.json"


def compile_project(project: Project) -> Pipeline:
    """Run `dbt compile` in a scratch folder and read its manifest.

    Raises:
        EnvironmentFaultError: dbt cannot be started.
        InputError: the reference tables have problems.
        ModelError: dbt reports an error, or a model uses what `direct` does not
            reproduce, or breaks its contract.
    """
    with scratch("compile") as folder:
        arguments = [
            sys.executable, "-P", "-m", "dbt.cli.main", "compile", "--quiet", "--no-use-colors",
            "--project-dir", str(project.folder), "--profiles-dir", str(project.folder),
            "--target-path", f"{folder}/target", "--log-path", f"{folder}/logs",
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell
                arguments,
                cwd=folder,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                check=False,
            )
        except OSError as error:
            raise EnvironmentFaultError(f"dbt cannot be started ({error})") from error
        manifest = folder / "target" / "manifest.json"
        if done.returncode != 0 or not manifest.is_file():
            # DuckDB's bindings add pages about themselves to a process that fails.
            said = (done.stdout + done.stderr).split("nanobind:")[0].strip()
            raise ModelError(
                f"dbt cannot compile {project.folder}:\n{said}",
                "Run `dbt compile` in that folder and mend what it says.",
            )
        pipeline = _read_manifest(json.loads(manifest.read_text(encoding="utf-8")), project)
    # Once is enough: another file is another fingerprint.
    check_reference_tables(project, pipeline)
    _check_contracts(pipeline)
    return pipeline


def _read_manifest(manifest: Mapping[str, Any], project: Project) -> Pipeline:
    nodes: dict[str, dict[str, Any]] = manifest["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    order = TopologicalSorter(
        {
            key: [parent for parent in node["depends_on"]["nodes"] if parent in models]
            for key, node in sorted(models.items())
        }
    ).static_order()
    return Pipeline(
        fingerprint=project.fingerprint,
        files_fingerprint=project.files_fingerprint,
        sources=tuple(
            Source(source["identifier"], _columns(source))
            for _, source in sorted(manifest["sources"].items())
            if source["source_name"] == "inputs"
        ),
        seeds=tuple(
            _seed(node) for _, node in sorted(nodes.items()) if node["resource_type"] == "seed"
        ),
        models=tuple(_model(models[key], models) for key in order),
        tests=tuple(
            _data_test(node, nodes)
            for _, node in sorted(nodes.items())
            if node["resource_type"] == "test"
        ),
    )


def _columns(node: Mapping[str, Any]) -> tuple[Column, ...]:
    columns = []
    for column in node["columns"].values():
        kinds = {constraint["type"] for constraint in column.get("constraints", [])}
        if kinds - {"not_null"}:
            raise ModelError(
                f"column {column['name']} of {node['name']} has the constraint "
                f"{', '.join(sorted(kinds - {'not_null'}))}",
                "Only not_null is supported.",
            )
        columns.append(Column(column["name"], column["data_type"], "not_null" in kinds))
    return tuple(columns)


def _model(node: Mapping[str, Any], models: Mapping[str, Any]) -> Model:
    name, config = node["name"], node["config"]
    used = [key for key in _UNSUPPORTED if config.get(key)]
    used += [text.rstrip("(") for text in _DYNAMIC if text in node["raw_code"]]
    if node.get("constraints"):
        used.append("constraints of the model")
    if used:
        raise ModelError(
            f"model {name} ({node['original_file_path']}) uses {', '.join(used)}",
            "Every runner must do the same with a model; write it without.",
        )
    try:
        step = Step(node["fqn"][1])
        materialization = Materialization(config["materialized"])
    except ValueError as error:
        raise ModelError(
            f"model {name} ({node['original_file_path']}): {error}",
            f"Put it into the folder of a step ({', '.join(Step)}), materialised as one of "
            f"{', '.join(Materialization)}.",
        ) from error
    is_kept = step is Step.SETUP and materialization is Materialization.VIEW
    if is_kept and name.startswith(MART_PREFIXES):
        # Readers of a run take results from tables alone.
        raise ModelError(
            f"model {name} ({node['original_file_path']}) is a view that every run would keep",
            "Materialise it as a table, or call it stg_.",
        )
    contracted = materialization is Materialization.YEARLY
    if contracted and not config["contract"]["enforced"]:
        raise ModelError(f"yearly fact {name} has no contract", "Set contract.enforced.")
    return Model(
        name=name,
        step=step,
        path=node["original_file_path"],
        materialization=materialization,
        sql=node["compiled_code"].strip(),
        depends_on=tuple(
            models[parent]["name"] for parent in node["depends_on"]["nodes"] if parent in models
        ),
        columns=_columns(node) if contracted else (),
        indexes=_indexes(node, materialization),
    )


def _indexes(
    node: Mapping[str, Any], materialization: Materialization
) -> tuple[tuple[str, ...], ...]:
    """Return the columns of each index that dbt makes of a model."""
    indexes = node["config"].get("indexes") or []
    where = f"model {node['name']} ({node['original_file_path']})"
    if indexes and materialization is not Materialization.TABLE:
        raise ModelError(
            f"{where} is a {materialization} with an index", "Only a table can have one."
        )
    if not isinstance(indexes, list) or not all(map(_is_index, indexes)):
        raise ModelError(
            f"{where} has indexes that every runner cannot build alike: {indexes}",
            "State a list with the columns of each, plain names, and nothing else: "
            "indexes=[{'columns': ['employee_key']}]. What must be unique is a test.",
        )
    return tuple(tuple(index["columns"]) for index in indexes)


def _is_index(index: object) -> bool:
    if not isinstance(index, dict) or index.keys() != {"columns"}:
        return False
    columns = index["columns"]
    return (
        isinstance(columns, list)
        and bool(columns)
        and all(isinstance(one, str) and _NAME.fullmatch(one) for one in columns)
    )


def _seed(node: Mapping[str, Any]) -> Seed:
    if node["config"].get("indexes"):
        raise ModelError(
            f"reference table {node['name']} ({node['original_file_path']}) has an index",
            "Only a model can have one.",
        )
    types = node["config"]["column_types"]
    return Seed(
        node["name"],
        node["original_file_path"],
        tuple(Column(name, data_type) for name, data_type in types.items()),
    )


def _data_test(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> DataTest:
    config = node["config"]
    attached = node.get("attached_node")
    if attached:
        target = nodes[attached]
        at_setup = target["resource_type"] == "seed" or target["fqn"][1] == Step.SETUP
        step = Step.SETUP if at_setup else Step.VALIDATION
    else:
        step = Step(node["fqn"][1])
    return DataTest(
        name=node["name"],
        step=step,
        path=node["original_file_path"],
        sql=node["compiled_code"].strip(),
        fail_calc=config["fail_calc"],
        warn_if=config["warn_if"],
        error_if=config["error_if"],
        severity=config["severity"].upper(),
        limit=config["limit"],
        in_years=_runs_in_years(node),
    )


def _runs_in_years(node: Mapping[str, Any]) -> bool:
    """Say whether a data test is of every simulated year, which it may decline in its meta."""
    declared = node["config"]["meta"].get("after_each_year", True)
    if not isinstance(declared, bool):
        raise ModelError(
            f"test {node['name']} ({node['original_file_path']}) has after_each_year: {declared!r}",
            "Write true or false.",
        )
    return declared


def build_empty(pipeline: Pipeline, connection: duckdb.DuckDBPyConnection) -> None:
    """Build the project without rows in a database in memory, to plan its queries on."""
    connection.execute("attach ':memory:' as results; use results; create schema inputs")
    for source in pipeline.sources:
        connection.execute(source.create_statement())
    for seed in pipeline.seeds:
        columns = ", ".join(column.ddl for column in seed.columns)
        connection.execute(f"create table {seed.relation} ({columns})")
    for model in pipeline.yearly_facts:
        connection.execute(model.create_statement())
    for model in pipeline.models:
        if model.materialization is not Materialization.YEARLY:
            connection.execute(model.statements()[0])
        for statement in model.index_statements():
            try:
                connection.execute(statement)
            except duckdb.Error as error:
                raise ModelError(
                    f"model {model.name} ({model.path}) cannot have its index: {error}",
                    "State columns that it has and that can be compared.",
                ) from error


def _check_contracts(pipeline: Pipeline) -> None:
    """Compare each fact of the empty project with its contract.

    dbt does this check on every run; the compiled SQL cannot change between
    them, so that once is enough.
    """
    with duck.connect() as connection:
        build_empty(pipeline, connection)
        for model in pipeline.yearly_facts:
            found = {
                name: data_type
                for name, data_type, *_ in connection.execute(f"describe {model.sql}").fetchall()
            }
            declared = dict(
                row[:2] for row in connection.execute(f"describe {model.relation}").fetchall()
            )
            if found != declared:
                wrong = sorted(
                    f"{name}: contract {declared.get(name, 'absent')}, "
                    f"model {found.get(name, 'absent')}"
                    for name in found.keys() | declared.keys()
                    if found.get(name) != declared.get(name)
                )
                raise ModelError(
                    f"model {model.name} ({model.path}) breaks its contract: {'; '.join(wrong)}",
                    "Change the model or its contract.",
                )
