"""The files of a dbt project as templates: their names, their lines, and what of them counts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from planalign.marts.declaration import in_a_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jinja2 import Environment, nodes

    from planalign.engine.pipeline import Model

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What has names of its own in Jinja, and reaches no model.
_METRICS = ("metrics", "saved_queries", "semantic_models")
_TEXT = ("data", "whitespace", "comment", "comment_begin", "comment_end", "raw_begin", "raw_end")
# A description that is no template of its own.
_PLAIN = re.compile(r"[^{]*")
# What a template writes for a table.
_REF = re.compile(r"""\{\{-?\s*ref\(\s*["'](\w+)["']\s*\)\s*-?\}\}""")
_INPUT = re.compile(r"""\{\{-?\s*source\(\s*["']inputs["']\s*,\s*["'](\w+)["']\s*\)\s*-?\}\}""")


@dataclass(frozen=True)
class Use:
    """A name of Jinja that a text takes from outside, or a filter, and its 1-based line.

    `attribute` is what stands behind its dot. `is_called` says whether it, or its
    attribute, is called and nothing else; `first` is the first argument, of a call or a
    filter, if that is a text that is written out. `is_set` says whether the text sets it
    somewhere itself.
    """

    name: str
    attribute: str
    line: int
    is_called: bool = False
    first: str | None = None
    is_set: bool = False
    is_filter: bool = False


@dataclass(frozen=True)
class Call:
    """A macro that a template defines, or what its `ref` names, and its 1-based line."""

    name: str
    line: int


@dataclass(frozen=True)
class Template:
    """What a template defines, and which models and reference tables it names."""

    macros: tuple[Call, ...]
    references: tuple[Call, ...]


def read_template(source: str) -> Template | tuple[int, str]:
    """Return what is in a template, or the line and the words of the fault that it has."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _dbts().parse(source)
    except TemplateSyntaxError as error:
        return error.lineno, error.message or "it is no template"
    macros = [
        Call(one.name.removeprefix("dbt_macro__"), one.lineno) for one in tree.find_all(nodes.Macro)
    ]
    references = [
        Call(last.value, one.lineno)
        for one in tree.find_all(nodes.Call)
        if isinstance(one.node, nodes.Name) and one.node.name == "ref" and one.args
        # With two, the first is the package.
        if isinstance(last := one.args[-1], nodes.Const) and isinstance(last.value, str)
    ]
    return Template(tuple(macros), tuple(references))


def yaml_fault(text: str) -> tuple[int | None, str] | None:
    """Return the line and the words of what keeps a text from being YAML, if anything does."""
    try:
        yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(one for one in (error.context, error.problem) if one)
        return (mark.line + 1 if mark else None), words
    except yaml.YAMLError as error:
        return None, " ".join(str(error).split())
    return None


def line_of_model(path: Path, name: str, column: str = "") -> int | None:
    """Return the 1-based line where the YAML of a project begins to tell of a model.

    With a column, the line of that, if it is there.
    """
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    model = _named(_value(root, "models"), name)
    found = _named(_value(model, "columns"), column) or model
    return found.start_mark.line + 1 if found else None


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _named(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """Return the entry of a list that has a name."""
    entries = node.value if isinstance(node, yaml.SequenceNode) else ()
    named = ((one, _value(one, "name")) for one in entries)
    return next((one for one, given in named if given is not None and given.value == name), None)


def uses(source: str) -> Iterator[Use]:
    """Yield what a template takes from outside, macro by macro, and its filters.

    Raises:
        ValueError: it is no template.
    """
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _dbts().parse(source)
        macros = [one for one in tree.body if isinstance(one, nodes.Macro)]
        rest = [one for one in tree.body if one not in macros]
        for body in (rest, *([macro] for macro in macros)):
            part = nodes.Template(body, lineno=1)
            part.set_environment(_dbts())
            yield from _uses_of(part)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error


def _uses_of(tree: nodes.Template) -> Iterator[Use]:
    from jinja2 import meta, nodes

    # Before the search for free names, which computes what is constant in place.
    calls = [*tree.find_all((nodes.Call, nodes.Getattr))]
    filters = [(one, _first(one)) for one in tree.find_all(nodes.Filter)]
    firsts = {id(one): _first(one) for one in calls if isinstance(one, nodes.Call)}
    names = [*tree.find_all(nodes.Name)]
    is_set = {one.name for one in names if one.ctx == "store"}
    free = meta.find_undeclared_variables(tree)
    seen = set[int]()
    # A call before its parts: an attribute that is called is met as that first.
    for one in calls:
        called = one if isinstance(one, nodes.Call) else None
        named: nodes.Node = called.node if called else one
        owner: nodes.Node = named.node if isinstance(named, nodes.Getattr) else named
        if not isinstance(owner, nodes.Name) or owner.name not in free or id(owner) in seen:
            continue
        seen.add(id(owner))
        yield Use(
            owner.name,
            named.attr if isinstance(named, nodes.Getattr) else "",
            owner.lineno,
            is_called=called is not None,
            first=firsts.get(id(one)),
            is_set=owner.name in is_set,
        )
    for name in names:
        if name.ctx == "load" and name.name in free and id(name) not in seen:
            yield Use(name.name, "", name.lineno, is_set=name.name in is_set)
    for used, first in filters:
        yield Use(used.name, "", used.lineno, first=first, is_filter=True)


def _first(call: nodes.Call | nodes.Filter) -> str | None:
    """Return the first argument, if it is a text that is written out; "" where there is none."""
    from jinja2 import nodes

    given = [*call.args]
    if isinstance(call, nodes.Call):
        given += [one.value for one in call.kwargs]
    elif not given:
        return ""
    first = given[0] if given else None
    return first.value if isinstance(first, nodes.Const) and isinstance(first.value, str) else None


@cache
def _dbts() -> Environment:
    from dbt_common.clients.jinja import get_environment  # which knows the tags of dbt

    environment = get_environment()
    environment.globals.clear()  # names like any other
    return environment


def uses_in(path: Path) -> Iterator[Use]:
    """Yield what the Jinja of a file of a project takes from outside, with the file's lines.

    Of a YAML file that is the Jinja of each value, as dbt sees it.

    Raises:
        ValueError: it holds no template, or no YAML.
    """
    text = path.read_text(encoding="utf-8")
    if is_sql(path):
        yield from uses(text)
    elif is_yaml(path):
        try:
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from error
        for scalar in _scalars(root):
            if "{" not in scalar.value:
                continue
            # Of a block the first line is the one below its sign.
            before = scalar.start_mark.line + (scalar.style in {"|", ">"})
            for one in uses(scalar.value):
                yield replace(one, line=before + one.line)


def _scalars(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    left, seen = [root], set[int]()
    if isinstance(root, yaml.MappingNode):
        left = [
            one for key, value in root.value if key.value not in _METRICS for one in (key, value)
        ]
    while left:
        node = left.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
        elif isinstance(node, yaml.MappingNode):
            left += (one for pair in node.value for one in pair)


def is_sql(path: Path) -> bool:
    """Say whether dbt takes a file for a template, which it does in capitals too."""
    return path.suffix.lower() == ".sql"


def is_yaml(path: Path) -> bool:
    """Say whether dbt takes a file for YAML, which it does in capitals too."""
    return path.suffix.lower() in {".yml", ".yaml"}


def _tokens(source: str) -> list[tuple[int, str, str]]:
    import jinja2  # takes 20 ms, and most runs look at no template

    environment = jinja2.Environment(keep_trailing_newline=True)  # noqa: S701 - nothing is rendered
    try:
        return list(environment.lex(source))
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error


def what_counts(path: Path, *, with_descriptions: bool) -> bytes:
    """Return what of a file of a project can reach the compiled models, as bytes.

    Left out are comments of Jinja and of YAML, unit tests and, unless wanted,
    descriptions. Of a reference table nothing is compiled.
    """
    content = path.read_bytes()
    try:
        if path.suffix.lower() == ".csv":
            return b""
        if is_yaml(path):
            return json.dumps(_declared(_load(content), with_descriptions), default=repr).encode()
        if is_sql(path):
            tokens = [token[1:] for token in _tokens(content.decode()) if token[1] != "comment"]
            return json.dumps(tokens).encode()
    except (ValueError, yaml.YAMLError):
        pass  # dbt will say so
    return content


def reads_descriptions(path: Path) -> bool:
    """Say whether a template may look at a description."""
    if not is_sql(path):
        return False
    try:
        tokens = _tokens(path.read_text(encoding="utf-8"))
    except ValueError:
        return True
    return any("description" in value for _, kind, value in tokens if kind not in _TEXT)


def _load(content: bytes) -> Any:
    return yaml.load(content, Loader=_LOADER)  # noqa: S506 - both are safe


def _declared(content: Any, with_descriptions: bool) -> Any:
    """Return the content of a YAML file of dbt without unit tests, or also descriptions."""
    if not isinstance(content, dict):
        return content
    kept = {key: value for key, value in content.items() if key != "unit_tests"}
    if with_descriptions:
        return kept
    return {
        key: [_undescribed(one) for one in value] if isinstance(value, list) else value
        for key, value in kept.items()
    }


def _undescribed(entry: Any) -> Any:
    """Return a model, source, table or column without its description, if that is plain text."""
    if not isinstance(entry, dict):
        return entry
    return {
        key: [_undescribed(one) for one in value]
        if key in {"columns", "tables"} and isinstance(value, list)
        else value
        for key, value in entry.items()
        if key != "description" or not (isinstance(value, str) and _PLAIN.fullmatch(value))
    }


def with_descriptions(models: Iterable[Model], files: Iterable[Path]) -> tuple[Model, ...]:
    """Return models with what the YAML of a project says of them now, as far as it is plain.

    A description that is a template of its own counts: what dbt made of it is still true.
    """
    declared = {
        entry["name"]: entry
        for path in files
        if is_yaml(path)
        for entry in _models_of(_load(path.read_bytes()))
    }
    return tuple(_described(model, declared.get(model.name, {})) for model in models)


def _models_of(content: Any) -> list[dict[str, Any]]:
    # In dbt_project.yml they are settings by folder.
    models = content.get("models") if isinstance(content, dict) else None
    return models if isinstance(models, list) else []


def _described(model: Model, entry: dict[str, Any]) -> Model:
    if model.mart is None:
        return model
    columns = {one["name"]: one for one in entry.get("columns") or []}
    return replace(
        model,
        mart=replace(
            model.mart,
            description=_told_now(entry, model.mart.description),
            columns=tuple(
                (name, _told_now(columns.get(name, {}), text)) for name, text in model.mart.columns
            ),
        ),
    )


def _told_now(entry: dict[str, Any], before: str) -> str:
    text = entry.get("description") or ""
    return in_a_line(text) if _PLAIN.fullmatch(text) else before


def source_lines(source: str, compiled: str, line: int) -> tuple[int, int] | None:
    """Return the lines of a template that a line of what it was compiled to comes from.

    First and last, 1-based; the same where it is surely one. What Jinja leaves alone, and
    what names a table, is found again; between such lines stands what a macro or a loop
    gave. Nothing where the compiled line is not there.
    """
    source = _REF.sub(r'"results"."main"."\1"', source)
    source = _INPUT.sub(r'"results"."inputs"."\1"', source)
    theirs, ours = ([part.strip() for part in text.splitlines()] for text in (source, compiled))
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    for kind, first, last, from_line, to_line in matcher.get_opcodes():
        if from_line < line <= to_line:
            if kind == "equal" or last - first == to_line - from_line:
                found = first + line - from_line
                return found, found
            if kind == "insert":  # a macro gave more than its own line
                return max(first, 1), min(first + 1, len(theirs))
            return first + 1, last
    return None
