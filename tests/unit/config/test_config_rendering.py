"""The resolved configuration and the one to start from."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planalign.config import (
    CENSUS_COLUMNS,
    Config,
    default_levels,
    documented_yaml,
    load,
    parse,
    to_yaml,
)
from planalign.config.declarations import keys as declared
from planalign.config.document import parse_document
from planalign.config.plan import LIMIT_NAMES


def reload(text: str, base: str = "/elsewhere") -> Config:
    return parse(parse_document(text).data, Path(base))


def test_the_documented_file_is_the_defaults(tmp_path: Path) -> None:
    data = parse_document(documented_yaml()).data
    assert list(data.pop("scenarios")) == ["baseline", "growth"]
    assert parse(data, tmp_path) == parse({}, tmp_path)


def test_the_documented_file_has_two_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "planalign.yaml"
    path.write_text(documented_yaml(), encoding="utf-8")
    config = load(path)
    assert config.scenarios["baseline"].workforce == config.workforce
    assert config.scenarios["growth"].workforce.target_growth_rate == Decimal("0.06")
    assert config.scenarios["growth"].compensation == config.compensation


def test_the_documented_file_has_every_key_under_a_comment() -> None:
    text = documented_yaml()
    lines, line_of = text.splitlines(), parse_document(text).lines
    assert all(len(line) <= 100 for line in lines)
    for key in (key for key in declared() if not key.in_list):
        assert lines[line_of[key.path] - 2].lstrip().startswith("#"), key.dotted
    assert all(name in text for name in (*CENSUS_COLUMNS, *LIMIT_NAMES))


def test_the_resolved_file_has_every_key_and_plain_numbers() -> None:
    levels = [level.model_dump() for level in default_levels()]
    data = {"compensation": {"cola_rate": 0.025}, "job_levels": levels}
    text = to_yaml(parse(data, Path("/study")))
    found = set(re.findall(r"\w+(?=:)", text))
    assert {part for key in declared(Config) for part in key.path} <= found
    assert not {"design", "designs"} & found
    assert "cola_rate: 0.025\n" in text
    assert "census: /study/census.parquet" in text
    assert yaml.safe_load(text)["workforce"]["hiring"]["level_weights"][3] == 0.18
    assert not re.search(r"[!&*]", text)


def test_the_resolved_file_reloads_identically() -> None:
    data = {
        "census": "data/köln 1.csv",
        "census_columns": {"job_level": "1e5", "employee_id": "yes: #no", "active": "'"},
        "census_date": "2023-06-30",
        "dbt_project": "models",
        "simulation": {"start_year": 2024, "end_year": 2026, "random_seed": 2**62},
        "workforce": {
            "alignment": {2020: "exact", 2025: "expected"},
            "hiring": {
                "levels": {2020: "weights"},
                "age_weights": {"16-75": 1},
                "level_weights": {5: 0.000001},
            },
        },
        "compensation": {
            "cola_rate": {2024: {1: 0.01, 2: 0.02, 3: 0.03, 4: 0.04, 5: 0.05}, 2025: -0.5},
            "performance": [],
        },
        "resources": {"memory_limit": "3.5gib", "threads": 8},
        "scenarios": {
            "2025": {"compensation": {"cola_rate": {2023: 0}}},
            "null": {"workforce": {"hiring": {"level_weights": {1: 1}}}, "plan": {}},
            "same": None,
            "007": {"plan": {"eligibility": {"minimum_age": 18}}},
            "rich": {
                "plan": {
                    "eligibility": {"excluded_departments": {2024: ["yes", "1e5"], 2025: []}},
                    "automatic_enrollment": {"hired_since": "2020-02-29"},
                    "escalation": {"date": "07-01"},
                    "match": {
                        "formula": "tiers",
                        "by": "points",
                        "tiers": [{"up_to": 0.06, "rate": 1}, {"from": 60, "up_to": 1, "rate": 2}],
                        "maximum_amount": {2024: None, 2025: 5000.01},
                    },
                    "vesting": {"match": {2024: [0, 0, 1], 2025: "immediate"}},
                    "limits": {"amounts": {"wage_base": {2025: 180000}}},
                }
            },
        },
    }
    config = parse(data, Path("/study"))
    again = reload(to_yaml(config))
    assert again == config
    assert list(again.scenarios) == ["2025", "null", "same", "007", "rich"]
    assert to_yaml(again) == to_yaml(config)


def test_the_text_does_not_depend_on_how_numbers_and_maps_were_written() -> None:
    def text(rate: str, first: str, second: str) -> str:
        columns = {first: first[:2], second: second[:2]}
        data: dict[str, Any] = {"census_columns": columns}
        data["workforce"] = {"promotion_rate": Decimal(rate)}
        return to_yaml(parse(data, Path("/study")))

    assert text("0.10", "union", "active") == text("0.1", "active", "union")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip))
def test_any_printable_text_survives(name: str) -> None:
    config = parse({"census_columns": {"employee_id": name}}, Path("/study"))
    assert reload(to_yaml(config)) == config
