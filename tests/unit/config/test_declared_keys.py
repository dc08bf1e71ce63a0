"""What each key is declared to be is what it accepts, refuses, becomes and is called."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import pytest
import yaml
from jsonschema import Draft202012Validator

import planalign
from planalign.config import (
    ScenarioSettings,
    documented_yaml,
    json_schema,
    parse,
    scenario_settings,
)
from planalign.config.declarations import Key, keys, without_marks
from planalign.config.document import parse_document
from planalign.config.merge import NAMED
from planalign.config.scalars import as_json
from planalign.engine.inputs import _scenario_rows
from planalign.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from planalign.errors import Problem

ROOT = Path(__file__).parents[3]
SOURCES = Path(planalign.__file__).parent / "dbt" / "models" / "sources.yml"
LEVELS = {level: Decimal("0.01") for level in range(1, 6)}

DECLARED = {key.dotted: key for key in keys()}
# Of lists of sections, the entries; what has a name holds sections.
PLAIN = [key for key in DECLARED.values() if key.read and not key.in_list]
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def named(found: list[Key]) -> Any:
    return pytest.mark.parametrize("key", [pytest.param(key, id=key.dotted) for key in found])


def schema_of(key: Key) -> dict[str, Any]:
    assert key.kind is not None
    return dict(key.kind.schema)


def types(key: Key) -> set[str]:
    """Return the types of JSON that a value may have, where it is of one kind."""
    found = schema_of(key).get("type", ())
    return {found} if isinstance(found, str) else set(found)


def nested(key: Key, value: object) -> dict[str, Any]:
    data: Any = value
    for part in reversed(key.path):
        data = {part: data}
    found: dict[str, Any] = data
    return found


def beyond(key: Key) -> Iterator[Any]:
    """Yield the values next to what a key may be: beyond its ends, finer, of another type."""
    schema = schema_of(key)
    grain = Decimal(1).scaleb(-schema.get("decimals", 0))
    for bound, away in (("inimum", -grain), ("aximum", grain)):
        if f"m{bound}" in schema:
            yield Decimal(str(schema[f"m{bound}"])) + away
        if f"exclusiveM{bound}" in schema:
            yield Decimal(str(schema[f"exclusiveM{bound}"]))
    if "enum" in schema:
        yield f"{schema['enum'][0]}s"
    yield [[]]
    if "string" not in types(key):
        yield "1x"


def within(key: Key) -> Iterator[Any]:
    """Yield the values at the ends of what a key may be, and each of a few words."""
    schema = schema_of(key)
    grain = Decimal(1).scaleb(-schema.get("decimals", 0))
    for bound, inner in (("inimum", grain), ("aximum", -grain)):
        if f"m{bound}" in schema:
            yield Decimal(str(schema[f"m{bound}"]))
        if f"exclusiveM{bound}" in schema:
            yield Decimal(str(schema[f"exclusiveM{bound}"])) + inner
    yield from schema.get("enum", ())
    if types(key) == {"boolean"}:
        yield from (True, False)
    if "null" in types(key) and "object" not in types(key):
        yield None


@named(PLAIN)
def test_a_key_accepts_its_ends_and_its_default(key: Key) -> None:
    assert key.kind is not None
    for value in within(key):
        exact = value
        if isinstance(value, Decimal) and "decimals" not in schema_of(key):
            exact = int(value)
        assert key.kind(exact) == value
        assert VALIDATOR.is_valid(nested(key, as_json(value)))
    config = parse(nested(key, key.default), Path("/study"))
    assert config == parse({}, Path("/study"))


@named(PLAIN)
def test_a_key_refuses_what_is_beyond_with_line_and_name(
    key: Key, problems: Callable[..., list[Problem]]
) -> None:
    for value in beyond(key):
        text = yaml.safe_dump(nested(key, as_json(value)), default_flow_style=False)
        found = problems(text)
        # A number is alone on its line; a list may be refused entry by entry.
        assert found[0].column is not None
        assert found[0].column.startswith(key.dotted), value
        assert found[0].line is not None
        assert found[0].line >= len(key.path)
        assert found[0].remedy
        assert not VALIDATOR.is_valid(nested(key, as_json(value))), value


@named([key for key in PLAIN if "decimals" in schema_of(key)])
def test_a_number_has_no_more_decimals_than_declared(
    key: Key, problems: Callable[..., list[Problem]]
) -> None:
    schema = schema_of(key)
    finer = Decimal("0.5").scaleb(-schema["decimals"])
    middle = Decimal(str(schema.get("minimum", schema.get("exclusiveMinimum")))) + finer
    (found,) = problems(yaml.safe_dump(nested(key, float(middle))))
    assert found.column == key.dotted
    assert found.message == f"has more than {schema['decimals']} decimal places"


@named([key for key in PLAIN if key.read and not key.read.by_name])
def test_a_key_varies_by_what_it_is_declared_to(key: Key) -> None:
    by_year = {2025: key.default, 2027: key.default}
    assert accepts(key, by_year) == ("year" in key.varies)
    assert VALIDATOR.is_valid(nested(key, as_json(by_year))) == ("year" in key.varies)
    assert accepts(key, LEVELS) == ("level" in key.varies or key.path[-1] == "level_weights")
    # As the types of Python say it: one value, or a mapping by year.
    annotation = key.field.annotation
    many = [one for one in get_args(annotation) if get_origin(one) is Mapping]
    assert (get_origin(annotation) is Union and bool(many)) == ("year" in key.varies)


def accepts(key: Key, value: object) -> bool:
    given = nested(key, value)
    if key.path[-1] == "level_weights":  # nothing looks at it otherwise
        given["workforce"]["hiring"]["levels"] = "weights"
    try:
        parse(given, Path("/study"))
    except InputError:
        return False
    return True


def other(key: Key) -> Any:
    """Return a value of a key that is not its default."""
    schema = schema_of(key)
    if schema.get("format") == "date":
        return datetime.date(2020, 1, 31)
    if "pattern" in schema:
        return "07-15"
    return next(value for value in within(key) if value != key.default)


def changed(section: BaseModel, path: tuple[str, ...], value: object) -> Any:
    """Return settings with another value, whatever contradicts it."""
    first, *rest = path
    inner = changed(getattr(section, first), tuple(rest), value) if rest else value
    return section.model_copy(update={first: inner})


@named([key for key in keys(ScenarioSettings) if key.table])
def test_a_key_is_in_its_columns_alone(key: Key) -> None:
    settings = scenario_settings(parse({}, Path("/study")))["baseline"]
    value, default = other(key), reduce(getattr, key.path, settings)
    given = {2025: default, 2026: value} if "year" in key.varies else value
    table = key.table or ""
    before = _scenario_rows("a", settings, (2025, 2026))[table]
    after = _scenario_rows("a", changed(settings, key.path, given), (2025, 2026))[table]
    name = "_".join(key.path[1:])
    expected = {f"{name}_month": 7, f"{name}_day": 15} if value == "07-15" else {name: value}
    for one, two in zip(before, after, strict=True):
        differing = {column: two[column] for column in two if one[column] != two[column]}
        differing.pop("settings", None)
        waits = "year" in key.varies and two["simulation_year"] == 2025
        assert differing == ({} if waits else expected)


def test_every_column_of_a_table_is_written() -> None:
    tables = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"][0]["tables"]
    columns = {table["name"]: {one["name"] for one in table["columns"]} for table in tables}
    settings = scenario_settings(parse({}, Path("/study")))["baseline"]
    for table, rows in _scenario_rows("a", settings, (2025,)).items():
        assert all(row.keys() == columns[table] for row in rows), table


@named([*DECLARED.values()])
def test_a_key_says_what_it_means_and_which_values_there_are(key: Key) -> None:
    assert key.text.endswith(".")
    assert key.label[:1].isupper()
    if key.kind and key.kind.words:
        words = [f"`{word}`" for word in schema_of(key).get("enum", ())]
        assert key.kind.words in key.text or (words and all(word in key.text for word in words))
    if key.kind and types(key) & {"number", "integer"}:
        assert schema_of(key)["unit"]


def test_links_and_marks_are_left_out_of_plain_text() -> None:
    assert without_marks("a `b` ([c d](../e.md#f)) [g, h]") == "a b (c d) [g, h]"


def test_the_schema_is_one_and_knows_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)
    for key in (key for key in DECLARED.values() if not key.in_list):
        found: Any = SCHEMA
        for part in key.path:
            found = found["properties"][part]
            found = SCHEMA["$defs"][found["$ref"].split("/")[-1]] if "$ref" in found else found
        assert found["title"] == key.label
        assert found["description"] == without_marks(key.text)
        assert found["group"]
        assert key.path[0] in NAMED or found["default"] == as_json(key.default)


def as_text(data: Any) -> Any:
    """Return the data of a file as JSON has it."""
    return as_json(data)


def test_the_schema_takes_the_file_to_start_from() -> None:
    assert [*VALIDATOR.iter_errors(as_text(parse_document(documented_yaml()).data))] == []


@pytest.mark.parametrize(
    "text",
    [
        "plan: {match: {formulas: tiers}}",
        "plan: {match: {tiers: [{up_to: 0.06}]}}",
        "plan: {vesting: {core: never}}",
        "compensation: {performance: [{rating: A, share: 1, multiplier: 1}]}",
        "compensation: {cola_rate: {1: 0.1, 31: 0.1}}",
        "job_levels: [{name: A, band_minimum: 0}]",
        "tables: {market_bands: 7}",
        "workforce: {promotion_rate: {25: 0.1}}",
        "designs: {rich: {design: lean}}",
        "scenarios: {a: {simulation: {}}}",
        "scenarios: {a: {plan: {core: {rate: 2}}}}",
        "census_columns: {Employee: id}",
        "extra_columns: {location: txt}",
        "extra_columns: {Location: text}",
        "parameters: {factor: {25: 1.4}}",
        "parameters: {factor: [1.4]}",
    ],
)
def test_the_schema_refuses_what_the_file_may_not_say(text: str) -> None:
    assert not VALIDATOR.is_valid(as_text(parse_document(text).data))
