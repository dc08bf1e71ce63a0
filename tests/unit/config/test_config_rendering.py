"""The resolved configuration and the one to start from."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from section_keys import keys

from planalign.config import CENSUS_COLUMNS, Config, documented_yaml, load, parse, to_yaml
from planalign.config.document import parse_document


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
    lines = documented_yaml().splitlines()
    assert all(len(line) <= 100 for line in lines)
    in_ratings = {"rating", "share", "multiplier"}
    sections = {
        "simulation",
        "workforce",
        "compensation",
        "plan",
        "core",
        "eligibility",
        "limits",
        "resources",
        "hiring",
    }
    for key in set(keys(Config)) - in_ratings:
        (first, *_) = [i for i, line in enumerate(lines) if re.match(rf"\s*{key}:", line)]
        above = lines[first - 1].lstrip()
        assert key in sections or above.startswith("#"), key
    ratings = next(line for line in lines if "{rating: below" in line)
    assert all(f"{key}: " in ratings for key in in_ratings)
    assert all(column in documented_yaml() for column in CENSUS_COLUMNS)


def test_the_resolved_file_has_every_key_and_plain_numbers() -> None:
    text = to_yaml(parse({"compensation": {"cola_rate": 0.025}}, Path("/study")))
    assert set(keys(Config)) <= set(re.findall(r"\w+(?=:)", text))
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
            "hiring": {"age_weights": {"16-75": 1}, "level_weights": {5: 0.000001}},
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
        },
    }
    config = parse(data, Path("/study"))
    again = reload(to_yaml(config))
    assert again == config
    assert list(again.scenarios) == ["2025", "null", "same", "007"]
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
