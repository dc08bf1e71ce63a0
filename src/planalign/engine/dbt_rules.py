"""What of dbt a project may use: all that every runner does alike, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from planalign.engine.pipeline import Materialization, Step
from planalign.engine.statements import without_comments
from planalign.engine.templates import (
    Template,
    is_sql,
    is_yaml,
    line_of_model,
    read_template,
    uses,
    uses_in,
)
from planalign.errors import ModelError, Problem
from planalign.marts.declaration import faults_of, is_mart, repeated_titles
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from planalign.engine.project import Project
    from planalign.engine.templates import Use

Node = dict[str, Any]

# What the faults of sources are listed under: without them, no model can be planned.
SOURCES = "sources"


@dataclass(frozen=True)
class Rule:
    """Something that is refused, in the words of the reference, and what to do instead."""

    what: str
    remedy: str


RULES = {
    "package": Rule(
        "a package: `packages.yml`, `dependencies.yml`, `dbt_packages`",
        "Copy the macros that you need into macros/, and remove the package",
    ),
    "folder": Rule(
        "a model, macro, test or reference table outside `models`, `macros`, `tests` and `seeds`",
        "Move it there, and leave the folders in dbt_project.yml as they are",
    ),
    "profile": Rule(
        "a profile that is not the shipped one",
        "Copy profiles.yml from the packaged project; threads and memory are settings of "
        "planalign.yaml",
    ),
    "hook": Rule(
        "a hook: `on-run-start` (but for the two that are shipped), `on-run-end`, `pre_hook`, "
        "`post_hook`",
        "Make what it does a model",
    ),
    "engine": Rule(
        "a change of `macros/yearly.sql` or `macros/sample_inputs.sql`",
        "Copy the file from the packaged project; a macro of your own goes into another file",
    ),
    "override": Rule(
        "a macro that takes the place of one of dbt's, a materialisation of your own",
        "Give the macro another name",
    ),
    "kind": Rule(
        "a snapshot, a function (`functions/`)",
        "Write it as a model",
    ),
    "source": Rule(
        "a source that is not shipped, or another table or column of one that is",
        "Leave models/sources.yml as it is shipped, descriptions and tests aside; data of your own "
        "is a reference table in seeds/",
    ),
    "run": Rule(
        "Jinja that looks at the run or the machine: `var`, `env_var`, `run_query`, `statement`, "
        "`is_incremental`, `target`, `this`, `model`, `graph`, `execute`, `modules`, `render` and "
        "every other name that is neither listed below, nor set in the template, nor a macro, also "
        "in a macro, in YAML, or in a macro of dbt that is called; a listed name or a macro that "
        "is not called where it stands; the filter `random`",
        "Write the value, or put it into a reference table in seeds/",
    ),
    "python": Rule("a Python model", "Write it in SQL"),
    "relation": Rule(
        "`schema`, `alias`, `database`, `quoting`",
        "Leave it out: the name of a model is that of its file",
    ),
    "name": Rule(
        "a model or reference table whose name differs from another one's by case alone, or is the "
        "engine's or dbt's own: `run_years..`, `run_marts..`, `dim_run`, `..__dbt_tmp`, "
        "`..__dbt_backup`",
        "Give the file another name",
    ),
    "config": Rule(
        "any other configuration than `enabled`, `materialized`, `contract`, `indexes`, "
        "`column_types` and what only describes (`tags`, `meta`, `docs`, `group`, `access`); of a "
        "test than `severity`, `warn_if`, `error_if`, `fail_calc`, `limit` and `where`; "
        "`query-comment`",
        "Leave it out",
    ),
    "years": Rule(
        "`meta: {after_each_year: ..}` of a data test with another value than `true` or `false`",
        "Write true or false",
    ),
    "constraint": Rule(
        "a constraint of a model, or another one of a column than `not_null`",
        "Make it a data test",
    ),
    "materialization": Rule(
        "a materialisation other than `table`, `view` and `yearly`",
        "Make it a table, a view or yearly",
    ),
    "step": Rule(
        "a model outside the folders `setup`, `baseline`, `requirements`, `events` and `snapshot`",
        "Put it into the folder of the step that builds it",
    ),
    "kept": Rule(
        "a `table` or `view` in `snapshot`, which would be gone when its year is complete",
        "Make it yearly, with a contract, or put it into events/ if it helps the year only",
    ),
    "view": Rule(
        "a `view` in `setup` whose name begins with `fct_`, `dim_` or `int_`: readers of a run "
        "take results from tables alone",
        "Make it a table, or call it stg_",
    ),
    "contract": Rule(
        "a `yearly` model without an enforced contract, or without every column and its type; a "
        "contract of another one",
        "State contract: {enforced: true} and each column with its data_type, in the order of "
        "the model; of a table or view leave the contract out",
    ),
    "mart": Rule(
        "a `yearly` model whose name does not begin with `fct_`, `dim_` or `int_`, or whose `meta` "
        "declares no `key`, or a `key`, `order` or `sheet` that cannot be one; a sheet that two "
        "models declare, or a workbook has already; `unique_key` without columns, of a model that "
        "declares no `key`",
        "Write config: {meta: {key: [scenario_id, ..]}} with the columns that identify a row; "
        "order: [..] is a list of columns too, sheet: {title: .., place: 60} a title of at most 31 "
        "characters of Excel's and a whole number",
    ),
    "index": Rule(
        "an index beyond `indexes=[{'columns': [..]}]` with plain names, or of what is no table",
        "State a list with the columns of each, and nothing else; what must be unique is a test",
    ),
    "order": Rule(
        "a model that reads one of a later step",
        "Put it into the folder of that step, or of a later one",
    ),
    "prior": Rule(
        "a fact of the year before, through the source `state`, in a model that the fact itself is "
        "not built from",
        "Read it where the year begins, and let the fact be built from that",
    ),
    "block": Rule(
        "a mart that reads a fact and not the trajectories in hand: a study may go through a year "
        "in blocks of them, and the mart would count those of the blocks before once more",
        "Read it by the macro in_hand, or join int_trajectories by scenario_id and replicate",
    ),
    "missing": Rule(
        "`stg_census_data` or `fct_financial_summary` disabled or gone",
        "Restore it: the engine counts the employees and sums up the year from these",
    ),
    "volatile": Rule(
        "a function that DuckDB calls volatile, or the same within one query only: `random`, "
        "`uuid`, `now`, `current_date`, `current_setting`, `nextval`, `error` and the like; also "
        "`age` with one argument, `version`, `approx_quantile`, `reservoir_quantile`",
        "Draw with with_draws, and take the year from inputs.control",
    ),
    "sample": Rule(
        "`using sample`, `tablesample`",
        "Choose rows by a draw of with_draws",
    ),
    "table": Rule(
        "a table, view or file that is not reached by `ref` or `source`, also of the model itself",
        "Use ref or source; a file of your own is a reference table in seeds/",
    ),
    "table function": Rule(
        "a table function other than `range`, `generate_series`, `unnest`, `json_each` and "
        "`json_tree`, such as `read_csv`, `glob` or `query`; tests may also call those of "
        "`duckdb_..()`",
        "Put the data into a reference table in seeds/",
    ),
    "query": Rule(
        "a statement that is no plain query, such as a `pivot` without its list of values; `show`, "
        "`describe` or `summarize` in a `from`; an empty file",
        "Write one query, whose columns do not depend on the data",
    ),
}

# Names of dbt's context that give the same in each command and on each machine, with what of
# each may be called: "" is the name itself.
_TAKEN_OF_JINJA: dict[str, frozenset[str]] = {
    "adapter": frozenset({"dispatch"}),
    "config": frozenset({"", "get", "meta_get", "meta_require", "require"}),
    "exceptions": frozenset({"raise_compiler_error"}),
    **dict.fromkeys(
        (
            "dict", "doc", "fromjson", "fromyaml", "local_md5", "log", "namespace", "print",
            "range", "ref", "return", "source", "tojson", "toyaml", "zip", "zip_strict",
        ),
        frozenset({""}),
    ),
}  # fmt: skip
# The others, which a template that sets one on one way alone may mean on the other.
_OF_A_RUN = frozenset(
    {
        "adapter", "adapter_macro", "api", "builtins", "column", "compiled_code", "context",
        "context_macro_stack", "cycler", "database", "dbt_metadata_envs", "dbt_version", "debug",
        "defer_relation", "diff_of_two_dicts", "env", "env_var", "execute", "flags", "function",
        "graph", "invocation_args_dict", "invocation_id", "joiner", "lipsum", "load_agate_table",
        "load_result", "metric", "model", "modules", "post_hooks", "pre_hooks", "project_name",
        "render", "run_started_at", "schema", "selected_resources", "set", "set_strict",
        "source_node", "sql", "sql_now", "_sql_results", "store_raw_result", "store_result",
        "submit_python_job", "target", "this", "thread_id", "try_or_compiler_error", "validation",
        "var", "write",
    }
)  # fmt: skip
# Of those, what the macros of dbt may use: it is the same in each command.
_OF_DBT_ITSELF = frozenset({"api", "execute", "this"})
# What Python writes for an object that has no text of its own.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
_DBTS = frozenset({"dbt", "dbt_duckdb"})
# The files whose macros the engine does itself, and the hooks that call them.
_ENGINES = ("macros/yearly.sql", "macros/sample_inputs.sql")
_PATHS = {
    "model-paths": ["models"],
    "macro-paths": ["macros"],
    "seed-paths": ["seeds"],
    "test-paths": ["tests"],
}
_DESCRIBING = {
    "enabled",
    "tags",
    "meta",
    "docs",
    "group",
    "access",
    "description",
    "static_analysis",
}
_NAMING = {"alias", "schema", "database", "quoting"}
# What has a value although nobody gave one, and means nothing to a table, view or fact.
_IDLE = {
    "lookback": 1,
    "on_schema_change": "ignore",
    "on_configuration_change": "apply",
    "delimiter": ",",
}
_TAKEN = {
    "model": {"materialized", "contract", "indexes"},
    "seed": {"materialized", "column_types", "contract"},
    "test": {
        "materialized", "contract", "severity", "warn_if", "error_if", "fail_calc", "limit",
        "where", "store_failures_as",
    },
}  # fmt: skip
_HOOKS = {"pre-hook", "post-hook"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEEDED = ("stg_census_data", "fct_financial_summary")
# What the engine, and dbt while it builds a table, write beside the models.
_OWN_NAME = re.compile(r"run_(?:years|marts).*|dim_run|.*(?:__dbt_tmp|__dbt_backup)", re.IGNORECASE)
_WORDS = {"model": "model", "seed": "reference table", "test": "test"}
# The steps in which models are built.
_BUILT = (Step.SETUP, Step.BASELINE, Step.REQUIREMENTS, Step.EVENTS, Step.SNAPSHOT)


def problem(
    rule: str, message: str, file: Path, line: int | None = None, value: object = None
) -> Problem:
    """Return what breaks a rule, as the list of problems tells it."""
    shown = None if value is None else str(value)
    return Problem(message, RULES[rule].remedy, str(file), line, value=shown)


def object_of(node: Node) -> str:
    """Return what messages call a node: `model int_hires`."""
    return f"{_WORDS.get(node['resource_type'], node['resource_type'])} {node['name']}"


def step_of_test(node: Node, nodes: Mapping[str, Node]) -> Step:
    """Return when a test runs: once, where it is of what is built once, or in each year.

    A test in a file of its own runs with those of its folder, and with the rules of
    the year wherever else it is.
    """
    attached = nodes.get(node.get("attached_node") or "")
    if attached is not None:
        at_setup = attached["resource_type"] == "seed" or attached["fqn"][1] == Step.SETUP
        return Step.SETUP if at_setup else Step.VALIDATION
    folder = node["original_file_path"].split("/")[1]
    if node["original_file_path"].startswith("tests/") and folder in {Step.SETUP, Step.TRANSITION}:
        return Step(folder)
    return Step.VALIDATION


def refused_packages(project: Project) -> list[Problem]:
    """Return what a project has of packages, whose files are in no fingerprint."""
    names = ("packages.yml", "dependencies.yml", "package-lock.yml")
    found = [project.folder / name for name in names if (project.folder / name).exists()]
    installed = project.folder / "dbt_packages"
    if installed.is_dir() and any(installed.iterdir()):
        found.append(installed)
    return [problem("package", "a package of dbt", path) for path in found]


def refused(manifest: Mapping[str, Any], project: Project) -> dict[str, list[Problem]]:
    """Return what a project has that not every runner does alike, by node, or by part of it.

    Args:
        manifest: dbt's, of the compiled project.
        project: its folder.
    """
    nodes: dict[str, Node] = manifest["nodes"]
    found: dict[str, list[Problem]] = {
        key: [*_of_node(node, manifest, project)]
        for key, node in sorted(nodes.items())
        if node["resource_type"] in _WORDS
    }
    for key, one in (*_of_names(nodes, project), *_of_sheets(nodes, project)):
        found[key].append(one)
    found[SOURCES] = [*_of_sources(manifest, project)]
    found["project"] = [
        *_of_more_sources(manifest, project),
        *_of_kinds(manifest, project),
        *_of_macros(manifest, project),
        *_of_jinja(manifest, project),
    ]
    return {key: problems for key, problems in found.items() if problems}


def refused_settings(project: Project) -> list[Problem]:
    """Return what is refused of dbt_project.yml and profiles.yml, which dbt goes by.

    Raises:
        ModelError: one of them is no YAML file.
    """
    return [*_of_settings(project)]


def _of_settings(project: Project) -> Iterator[Problem]:
    file = project.place("dbt_project.yml")
    settings = _mapping(file)
    for key, expected in _PATHS.items():
        if settings.get(key, expected) != expected:
            yield problem("folder", f"{key} names another folder", file, value=settings[key])
    refused_keys = {
        "packages-install-path": "package", "dispatch": "override", "query-comment": "config"
    }  # fmt: skip
    for key, rule in refused_keys.items():
        if key in settings:
            yield problem(rule, f"{key} is set", file, value=settings[key])
    shipped = _shipped("dbt_project.yml")["on-run-start"]
    for key in ("on-run-start", "on-run-end"):
        hooks = settings.get(key) or []
        for hook in hooks if isinstance(hooks, list) else [hooks]:
            if key == "on-run-end" or hook not in shipped:
                yield problem("hook", f"a hook of {key}", file, value=hook)
    profiles = project.folder / "profiles.yml"
    theirs = _mapping(profiles) if profiles.is_file() else {}
    name = settings.get("profile")
    if name != "planalign" or theirs.get(name) != _shipped("profiles.yml")[name]:
        yield problem("profile", f"profile {name} is not the shipped one", profiles)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ModelError(f"{path} cannot be read ({error})", "Mend the file.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no settings of dbt", "Mend the file.")
    return content


@cache
def _shipped(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PACKAGED / name).read_text(encoding="utf-8"))
    return content


def _of_kinds(manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    """Look for what is neither model, seed nor test, and for what the engine needs."""
    own = manifest["metadata"]["project_name"]
    nodes = [*manifest["nodes"].values(), *manifest.get("functions", {}).values()]
    for node in nodes:
        path = project.place(node["original_file_path"])
        if node["package_name"] != own:
            yield problem("package", f"{object_of(node)} of package {node['package_name']}", path)
        elif node["resource_type"] in {"snapshot", "function"}:
            yield problem("kind", object_of(node), path)
    names = {node["name"] for node in nodes if node["resource_type"] == "model"}
    for name in _NEEDED:
        if name not in names:
            yield problem("missing", f"model {name} is not there", project.place("models"))


def _of_sources(manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    """Compare what the engine writes, and where the year before is, with what is declared."""
    file = project.place("models/sources.yml")
    found = {
        (source["source_name"], source["name"]): source for source in manifest["sources"].values()
    }
    for key, shipped in sorted(_shipped_sources().items()):
        name = ".".join(key)
        more = project.extra_columns if name == "inputs.census" else {}
        columns = (*(one for one in shipped if one[0] not in more), *more.items())
        if key not in found:
            yield problem("source", f"source {name} is not there", file)
        elif columns != tuple(
            (column["name"], column["data_type"]) for column in found[key]["columns"].values()
        ):
            yield problem("source", f"source {name} has other columns than are written", file)


def _of_more_sources(manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    for source in manifest["sources"].values():
        key = (source["source_name"], source["name"])
        if key not in _shipped_sources():
            path = project.place(source["original_file_path"])
            yield problem("source", f"no runner loads source {'.'.join(key)}", path)


@cache
def _shipped_sources() -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """Return name and type of each column, by source and table."""
    return {
        (source["name"], table["name"]): tuple(
            (column["name"], column["data_type"]) for column in table.get("columns", [])
        )
        for source in _shipped("models/sources.yml")["sources"]
        for table in source["tables"]
    }


def is_written(source: Mapping[str, Any]) -> bool:
    """Say whether a source is one that the engine writes."""
    key = (source["source_name"], source["name"])
    return source["source_name"] == "inputs" and key in _shipped_sources()


def _of_macros(manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    own = manifest["metadata"]["project_name"]
    macros = manifest["macros"].values()
    dbts = {one["name"] for one in macros if one["package_name"] in _DBTS}
    for name in _ENGINES:
        path = project.folder / name
        if not path.is_file() or path.read_bytes() != (PACKAGED / name).read_bytes():
            yield problem("engine", "not as it is shipped", project.place(name))
    for macro in macros:
        path = project.place(macro["original_file_path"])
        if macro["package_name"] not in {own, *_DBTS}:
            yield problem("package", f"macro {macro['name']} of a package", path)
        elif macro["package_name"] == own:
            is_materialization = macro["name"].startswith("materialization_")
            is_ours = macro["original_file_path"] in _ENGINES
            if macro["name"] in dbts or (is_materialization and not is_ours):
                yield problem("override", f"macro {macro['name']}", path)


def _of_jinja(manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    """Look for what Jinja asks of the run, in every file of the project."""
    own, macros = manifest["metadata"]["project_name"], manifest["macros"]
    callable_macros, engines = _macros_to_call(macros, own)
    told = set[str]()
    for path in project.files:
        name = path.relative_to(project.folder).as_posix()
        if not (is_sql(path) or is_yaml(path)) or name in (*_ENGINES, "profiles.yml"):
            continue
        # The hooks, which are those that are shipped.
        known = callable_macros | engines if name == "dbt_project.yml" else callable_macros
        try:
            # Each name once in a line.
            found = dict.fromkeys(
                (words, one.line)
                for one in uses_in(path)
                if (words := _refused_use(one, known, {own, *_DBTS}))
            )
            for words, line in found:
                told.add(name)
                yield problem("run", f"Jinja uses {words}", project.place(name), line)
        except ValueError as error:
            told.add(name)
            yield problem(
                "run", f"no template that can be looked into ({error})", project.place(name)
            )
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "test"} or node["language"] != "sql":
            continue
        reached = [macros[key] for key in sorted(_reached(node, macros))]
        of_project = {m["original_file_path"] for m in reached if m["package_name"] == own}
        if told & {node["original_file_path"], *of_project}:
            continue  # that is told already
        path = project.place(node["original_file_path"])
        asking = {
            macro["name"]: names
            for macro in reached
            if macro["package_name"] in _DBTS
            # Every command is called with the same flags.
            and (names := _asking(macro["macro_sql"]) - {"flags"})
        }
        if asking:
            used = ", ".join(sorted(set().union(*asking.values())))
            called = f"{object_of(node)} calls {', '.join(asking)} of dbt"
            yield problem("run", f"{called}, which uses {used}", path)
        elif _ADDRESS.search(node.get("compiled_code") or ""):
            message = f"the Jinja of {object_of(node)} writes where an object is in memory"
            yield problem("run", message, path)


def _macros_to_call(macros: Mapping[str, Any], own: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of macros that a project may call, and of those that the engine calls.

    They are those of the project, whose own files are looked into, and of dbt those that look
    at nothing of a run.
    """
    known, engines = set[str](), set[str]()
    for macro in macros.values():
        if macro["package_name"] == own:
            is_engines = macro["original_file_path"] in _ENGINES
            (engines if is_engines else known).add(macro["name"])
        elif macro["package_name"] in _DBTS:
            reached = {macro["unique_id"], *_reached(macro, macros)}
            if not any(_asking(macros[key]["macro_sql"]) for key in reached):
                known.add(macro["name"])
    return frozenset(known), frozenset(engines)


def _refused_use(one: Use, macros: Collection[str], packages: Collection[str]) -> str | None:
    """Return what of the run a template uses, in words, or nothing."""
    if one.is_filter:
        if one.name == "random" or (one.name == "map" and one.first in {None, "random"}):
            return f"the filter {one.name}" + (" with another one" if one.name == "map" else "")
        return None
    words = f"{one.name}.{one.attribute}" if one.attribute else one.name
    if one.name in _TAKEN_OF_JINJA:
        is_taken = one.attribute in _TAKEN_OF_JINJA[one.name]
        if words == "adapter.dispatch" and one.is_called and one.first is None:
            return f"{words} with a name that is not written out"
    elif one.name in packages and one.attribute:
        is_taken = one.attribute in macros
    elif one.name in macros and not one.attribute:
        is_taken = True
    else:
        is_other = one.is_set and one.name not in _OF_A_RUN
        return None if is_other else words
    if not is_taken:
        return words
    return None if one.is_called else f"{words} without a call"


@cache
def _asking(source: str) -> frozenset[str]:
    """Return the names of a run that a macro of dbt uses."""
    return frozenset(
        one.name
        for one in uses(source)
        if one.name in _OF_A_RUN - _OF_DBT_ITSELF
        and (one.name, one.attribute) != ("adapter", "dispatch")
        and not (one.is_filter or one.is_set)
    )


def _reached(caller: Node, macros: Mapping[str, Any]) -> set[str]:
    """Return the macros that a node or a macro calls, and those that these call."""
    reached: set[str] = set()
    waiting = [*caller["depends_on"]["macros"]]
    while waiting:
        key = waiting.pop()
        if key not in reached and key in macros:
            reached.add(key)
            waiting += macros[key]["depends_on"]["macros"]
    return reached


def _of_node(node: Node, manifest: Mapping[str, Any], project: Project) -> Iterator[Problem]:
    path, what, kind = (
        project.place(node["original_file_path"]),
        object_of(node),
        node["resource_type"],
    )
    config = node["config"]
    if kind != "test" and node["relation_name"] != f'"results"."main"."{node["name"]}"':
        given = {key: config[key] for key in sorted(_NAMING) if config.get(key)}
        yield problem(
            "relation",
            f"{what} is not stored under its name",
            path,
            value=given or node["relation_name"],
        )
    for key in sorted(config.keys() - _DESCRIBING - _NAMING - _TAKEN[kind]):
        value = config[key]
        if value and _IDLE.get(key) != value:
            rule = "hook" if key in _HOOKS else "config"
            yield problem(rule, f"{what} has {key}", path, value=None if value is True else value)
    # dbt compiles an empty file to nothing at all.
    is_query = kind != "seed" and node["language"] == "sql"
    if is_query and not without_comments(node.get("compiled_code") or "").strip():
        yield problem("query", f"{what} is empty", path)
    if kind == "seed":
        if config.get("indexes"):
            yield problem("index", f"{what} has an index", path)
    elif kind == "test":
        in_years = config["meta"].get("after_each_year", True)
        if not isinstance(in_years, bool):
            yield problem("years", f"{what} declares after_each_year", path, value=in_years)
        yield from _of_key_test(node, manifest["nodes"], path)
    elif kind == "model":
        yield from _of_model(node, manifest, path)
        yield from _of_mart(node, project)


def _of_names(nodes: Mapping[str, Node], project: Project) -> Iterator[tuple[str, Problem]]:
    """Look for names that are one in the database, where case does not count."""
    first: dict[str, Node] = {}
    for key, node in sorted(nodes.items()):
        if node["resource_type"] not in {"model", "seed"}:
            continue
        path, what = project.place(node["original_file_path"]), object_of(node)
        other = first.setdefault(node["name"].lower(), node)
        if other is not node:
            words = f"{what} is {object_of(other)} ({other['original_file_path']}) but for its case"
            yield key, problem("name", words, path)
        if _OWN_NAME.fullmatch(node["name"]):
            yield key, problem("name", f"{what} has a name that is not free", path)


def _of_model(node: Node, manifest: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    what, config = object_of(node), node["config"]
    if node["language"] != "sql":
        yield problem("python", f"{what} is written in {node['language']}", path)
    constraints = [*node["constraints"]]
    for column in node["columns"].values():
        constraints += [one for one in column["constraints"] if one["type"] != "not_null"]
    for one in constraints:
        yield problem("constraint", f"{what} has a constraint", path, value=one["type"])
    materialized, folder = config["materialized"], node["fqn"][1]
    if materialized not in [*Materialization]:
        yield problem("materialization", f"{what} is {materialized}", path)
    if folder not in _BUILT or len(node["fqn"]) < 3:
        yield problem("step", f"{what} is in no step", path)
    elif folder == Step.SNAPSHOT and materialized in {Materialization.TABLE, Materialization.VIEW}:
        yield problem("kept", f"{what} is a {materialized}", path)
    is_kept = folder == Step.SETUP and materialized == Materialization.VIEW
    if is_kept and is_mart(node["name"].lower()):
        yield problem("view", f"{what} is a view that every run would keep", path)
    yield from _of_contract(node, path)
    yield from _of_indexes(node, path)
    yield from _of_reads(node, manifest, path)
    yield from _of_blocks(node, manifest, path)


def _of_contract(node: Node, path: Path) -> Iterator[Problem]:
    what, is_enforced = object_of(node), node["config"]["contract"]["enforced"]
    if node["config"]["materialized"] != Materialization.YEARLY:
        if is_enforced:
            yield problem("contract", f"{what} has a contract and is not yearly", path)
        return
    if not is_enforced:
        yield problem("contract", f"{what} has no enforced contract", path)
    if not node["columns"]:
        yield problem("contract", f"{what} declares no columns", path)
    for column in node["columns"].values():
        if not column["data_type"]:
            yield problem("contract", f"{what} declares {column['name']} without a type", path)


def _of_mart(node: Node, project: Project) -> Iterator[Problem]:
    if node["config"]["materialized"] != Materialization.YEARLY:
        return
    place = _declared_at(node, project)
    if not is_mart(node["name"]):
        yield problem("mart", f"{object_of(node)} is yearly, and no reader would see it", *place)
    for words, value in faults_of(node["config"]["meta"], node["columns"]):
        yield problem("mart", f"{object_of(node)} {words}", *place, value=value)


def _of_sheets(nodes: Mapping[str, Node], project: Project) -> Iterator[tuple[str, Problem]]:
    """Look for sheets that two models declare."""
    titles = {}
    for key, node in sorted(nodes.items()):
        meta = node["config"]["meta"] if node["resource_type"] == "model" else {}
        if "sheet" in meta and not any(True for _ in faults_of(meta, node["columns"])):
            titles[key] = meta["sheet"]["title"]
    twice = repeated_titles(titles.values())
    for key, title in titles.items():
        if title.lower() in twice:
            words = f"{object_of(nodes[key])} declares a sheet that another model declares too"
            yield key, problem("mart", words, *_declared_at(nodes[key], project), value=title)


def _of_key_test(node: Node, nodes: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    metadata, model = node.get("test_metadata"), nodes.get(node.get("attached_node") or "")
    if metadata is None or metadata["name"] != "unique_key" or "columns" in metadata["kwargs"]:
        return
    is_told = model is not None and model["config"]["materialized"] == Materialization.YEARLY
    if model is None or not ("key" in model["config"]["meta"] or is_told):
        of = object_of(model) if model else "what is no model"
        yield problem("mart", f"{object_of(node)} is of {of}, which declares no key", path)


def _declared_at(node: Node, project: Project) -> tuple[Path, int | None]:
    """Return the file that describes a model, and the line where it begins to."""
    patch = (node.get("patch_path") or "").partition("://")[2]
    if not patch:
        return project.place(node["original_file_path"]), None
    path = project.place(patch)
    return path, line_of_model(path, node["name"])


def _of_indexes(node: Node, path: Path) -> Iterator[Problem]:
    indexes = node["config"].get("indexes") or []
    if indexes and node["config"]["materialized"] != Materialization.TABLE:
        yield problem("index", f"{object_of(node)} is no table and has an index", path)
    if not isinstance(indexes, list) or not all(map(_is_index, indexes)):
        yield problem("index", f"{object_of(node)} has an odd index", path, value=indexes)


def _is_index(index: object) -> bool:
    if not isinstance(index, dict) or index.keys() != {"columns"}:
        return False
    columns = index["columns"]
    return (
        isinstance(columns, list)
        and bool(columns)
        and all(isinstance(one, str) and _NAME.fullmatch(one) for one in columns)
    )


def _of_reads(node: Node, manifest: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """Look at what a model reads: nothing of a later step, nor a fact while it is changed."""
    nodes, order = manifest["nodes"], [*Step]
    for key in _parents(node):
        source = manifest["sources"].get(key)
        if source is not None and source["source_name"] == "state":
            fact = f"model.{node['package_name']}.{source['identifier']}"
            if node["unique_id"] not in ancestors(fact, nodes):
                yield problem(
                    "prior", f"{object_of(node)} reads the last {source['identifier']}", path
                )
        read = nodes.get(key)
        if read is None or read["resource_type"] != "model":
            continue
        steps = (read["fqn"][1], node["fqn"][1])
        are_steps = all(step in _BUILT for step in steps)
        if are_steps and order.index(steps[0]) > order.index(steps[1]):
            words = f"{object_of(node)} reads {read['name']}, of step {steps[0]}"
            yield problem("order", words, path, _line_of(read["name"], path))


def _of_blocks(node: Node, manifest: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """Look at the facts that a model reads while they are filled block by block."""
    package, read = node["package_name"], _parents(node)
    if {f"model.{package}.int_trajectories", f"source.{package}.inputs.trajectories"} & {*read}:
        return
    for key in read:
        fact = manifest["nodes"].get(key, {})
        is_fact = fact.get("config", {}).get("materialized") == Materialization.YEARLY
        if is_fact and "replicate" in fact["columns"]:
            words = f"{object_of(node)} reads {fact['name']} of all trajectories"
            yield problem("block", words, path, _line_of(fact["name"], path))


def _line_of(name: str, path: Path) -> int | None:
    """Return the line in which a template names a model, if it is one that can be read."""
    found = read_template(path.read_text(encoding="utf-8")) if is_sql(path) else None
    references = found.references if isinstance(found, Template) else ()
    return next((one.line for one in references if one.name == name), None)


def ancestors(key: str, nodes: Mapping[str, Node]) -> set[str]:
    """Return the nodes and sources that a node rests on, also by others."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        new = set(_parents(nodes.get(waiting.pop()))) - found
        found |= new
        waiting += new
    return found


def _parents(node: Node | None) -> Sequence[str]:
    """Return what a node reads; a reference table reads nothing, nor does a source."""
    return node["depends_on"].get("nodes", ()) if node else ()


def readable(node: Node, manifest: Mapping[str, Any]) -> set[str]:
    """Return the relations that a node says it reads, as `results.main.name`."""
    known = {**manifest["nodes"], **manifest["sources"]}
    inputs = {
        ".".join(parts)
        for source in manifest["sources"].values()
        if is_written(source)  # they are there before any model
        for parts in (("results", "inputs", source["name"]), ("inputs", source["name"]))
    }
    return inputs | {
        known[key]["relation_name"].replace('"', "").lower()
        for key in node["depends_on"]["nodes"]
        if key in known and known[key]["relation_name"]
    }


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems by file and line."""
    return sorted(problems, key=lambda one: (one.file or "", one.line or 0))
