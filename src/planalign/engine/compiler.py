"""Compile the dbt project into a pipeline, once per fingerprint.

dbt runs as a process of its own: its parser leaves a process-wide adapter
behind, and a warm start must not import it at all.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.engine import dbt_rules
from planalign.engine.folders import cache_folder
from planalign.engine.model_check import problems_of
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
from planalign.engine.project import Project, with_versions
from planalign.engine.reference_tables import check_reference_tables
from planalign.engine.source_check import problem_of_words, problems_of_files
from planalign.engine.statements import without_comments
from planalign.engine.templates import with_descriptions
from planalign.errors import EnvironmentFaultError, ProjectError
from planalign.marts.declaration import mart_of
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planalign.errors import Problem

SHIPPED = Path(__file__).parent / "pipeline.json"


def pipeline_for(project: Project, compiling: Callable[[], None] = lambda: None) -> Pipeline:
    """Return the compiled pipeline of a project: shipped, cached, or compiled now.

    Args:
        project: what to compile.
        compiling: called before dbt is started, which takes seconds.

    Raises:
        EnvironmentFaultError: dbt cannot be started.
        InputError: the reference tables have problems.
        ModelError: the project cannot be compiled.
        ProjectError: a part of it is refused; all are listed.
    """
    packages = dbt_rules.refused_packages(project)
    if packages:
        raise _error(project, packages)
    found = _find_compiled(project)
    if found is None:
        found = _find_unchanged(project)
        if found is None:
            compiling()
            found = compile_project(project)
        with suppress(OSError):  # a full disk or a read-only one: compiled anew the next time
            found.save(_cached(project.fingerprint))
            found.save(_cached(with_versions(project.counting_fingerprint)))
    return found


def _find_compiled(project: Project) -> Pipeline | None:
    """Return the pipeline that is there already.

    The shipped one was compiled by the dbt that the package was built with, which
    need not be the one installed: its files decide. A damaged file, or one of
    another version, is as good as not there.
    """
    shipped = _kept(SHIPPED)
    if shipped is not None and shipped.files_fingerprint == project.files_fingerprint:
        return shipped  # which needs no cache folder
    cached = _kept(_cached(project.fingerprint))
    if cached is not None and cached.fingerprint == project.fingerprint:
        return cached
    return None


def _find_unchanged(project: Project) -> Pipeline | None:
    """Return the pipeline of the project as it was before a change that no SQL can show.

    The reference tables, which are not part of it, may be others; so may descriptions,
    which are read again.
    """
    pipeline = _kept(_cached(with_versions(project.counting_fingerprint)))
    if pipeline is None:
        pipeline, packaged = _kept(SHIPPED), Project.at(None)
        if (
            pipeline is None
            or pipeline.files_fingerprint != packaged.files_fingerprint
            or packaged.counting_fingerprint != project.counting_fingerprint
        ):
            return None
    check_reference_tables(project, pipeline)
    return replace(
        pipeline,
        fingerprint=project.fingerprint,
        files_fingerprint=project.files_fingerprint,
        models=with_descriptions(pipeline.models, project.files),
    )


def _kept(path: Path) -> Pipeline | None:
    if not path.is_file():
        return None
    try:
        return Pipeline.load(path)
    except EnvironmentFaultError:
        return None


def _cached(fingerprint: str) -> Path:
    return cache_folder() / "pipelines" / f"{fingerprint}.json"


def compile_project(project: Project) -> Pipeline:
    """Run `dbt compile` in a scratch folder and read its manifest.

    Raises:
        EnvironmentFaultError: dbt cannot be started.
        InputError: the reference tables have problems.
        ModelError: its settings cannot be read.
        ProjectError: dbt reports an error; or models use what not every runner does alike,
            cannot be planned, or break their contracts; all are listed.
    """
    # What dbt would go by, or stop at.
    for problems in (dbt_rules.refused_settings(project), problems_of_files(project)):
        if problems:
            raise _error(project, problems)
    with scratch("compile") as folder:
        arguments = [
            sys.executable, "-P", "-W", "ignore", "-m", "dbt.cli.main", "compile",
            "--quiet", "--no-use-colors",
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
            told = problem_of_words(done.stdout + done.stderr, project)
            raise ProjectError(f"dbt cannot compile {project.name}", [told])
        compiled = json.loads(manifest.read_text(encoding="utf-8"))
    pipeline, problems = _read_manifest(compiled, project)
    if problems:
        raise _error(project, problems)
    # Once is enough: another file is another fingerprint.
    check_reference_tables(project, pipeline)
    return pipeline


def _error(project: Project, problems: Sequence[Problem]) -> ProjectError:
    count = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
    return ProjectError(f"the models of {project.name} have {count}", problems)


def _read_manifest(manifest: Mapping[str, Any], project: Project) -> tuple[Pipeline, list[Problem]]:
    """Return what of a project every runner does alike, and what is wrong with the rest."""
    refused = dbt_rules.refused(manifest, project)
    nodes: dict[str, dict[str, Any]] = manifest["nodes"]
    # What rests on a refused model is read when that is mended.
    sound = {
        key: node
        for key, node in sorted(nodes.items())
        if node["resource_type"] in {"model", "seed", "test"}
        and not ({key, *dbt_rules.ancestors(key, nodes)} & refused.keys())
    }
    models = {key: node for key, node in sound.items() if node["resource_type"] == "model"}
    order = TopologicalSorter(
        {
            key: [parent for parent in node["depends_on"]["nodes"] if parent in models]
            for key, node in models.items()
        }
    ).static_order()
    tests = [node for node in sound.values() if node["resource_type"] == "test"]
    pipeline = Pipeline(
        fingerprint=project.fingerprint,
        files_fingerprint=project.files_fingerprint,
        sources=tuple(
            Source(source["identifier"], _columns(source))
            for _, source in sorted(manifest["sources"].items())
            if dbt_rules.is_written(source)
        ),
        seeds=tuple(_seed(node) for node in sound.values() if node["resource_type"] == "seed"),
        models=tuple(_model(models[key], models) for key in order),
        tests=tuple(_data_test(node, nodes) for node in tests),
    )
    problems = [problem for found in refused.values() for problem in found]
    relations = {
        node["name"]: dbt_rules.readable(node, manifest) for node in (*models.values(), *tests)
    }
    if dbt_rules.SOURCES not in refused:  # else nothing can be planned on them
        problems += problems_of(pipeline, project, relations)
    if not problems:
        pipeline = replace(pipeline, models_fingerprint=_fingerprint(pipeline))
    return pipeline, dbt_rules.in_order(problems)


def _fingerprint(pipeline: Pipeline) -> str:
    """Return the SHA-256 of all in a pipeline that can change a result.

    A comment, a description, a sheet or the place of a file in its folder changes none.
    """
    parts = [
        *(("source", one.name, one.columns) for one in pipeline.sources),
        *(("seed", one.name, one.columns) for one in pipeline.seeds),
        *(
            replace(
                one,
                path="",
                sql=without_comments(one.sql),
                depends_on=tuple(sorted(one.depends_on)),
                mart=None,
            )
            for one in pipeline.models
        ),
        *(
            (one.is_of_reference_table, replace(one, path="", sql=without_comments(one.sql)))
            for one in pipeline.tests
        ),
    ]
    return hashlib.sha256("\n".join(sorted(map(repr, parts))).encode()).hexdigest()


def _columns(node: Mapping[str, Any]) -> tuple[Column, ...]:
    return tuple(
        Column(
            column["name"],
            column["data_type"],
            any(constraint["type"] == "not_null" for constraint in column["constraints"]),
        )
        for column in node["columns"].values()
    )


def _model(node: Mapping[str, Any], models: Mapping[str, Any]) -> Model:
    config, name = node["config"], node["name"]
    materialization = Materialization(config["materialized"])
    is_kept = materialization is Materialization.YEARLY
    texts = {column["name"]: column["description"] for column in node["columns"].values()}
    return Model(
        name=name,
        step=Step(node["fqn"][1]),
        path=node["original_file_path"],
        materialization=materialization,
        sql=node["compiled_code"].strip(),
        depends_on=tuple(
            models[parent]["name"] for parent in node["depends_on"]["nodes"] if parent in models
        ),
        columns=_columns(node) if is_kept else (),
        indexes=tuple(tuple(index["columns"]) for index in config.get("indexes") or []),
        mart=mart_of(name, config["meta"], node["description"], texts) if is_kept else None,
    )


def _seed(node: Mapping[str, Any]) -> Seed:
    types = node["config"]["column_types"]
    return Seed(
        node["name"],
        node["original_file_path"],
        tuple(Column(name, data_type) for name, data_type in types.items()),
    )


def _data_test(node: dict[str, Any], nodes: Mapping[str, dict[str, Any]]) -> DataTest:
    config = node["config"]
    return DataTest(
        name=node["name"],
        step=dbt_rules.step_of_test(node, nodes),
        path=node["original_file_path"],
        sql=node["compiled_code"].strip(),
        fail_calc=config["fail_calc"],
        warn_if=config["warn_if"],
        error_if=config["error_if"],
        severity=config["severity"].upper(),
        limit=config["limit"],
        in_years=config["meta"].get("after_each_year", True),
    )
