"""What each key accepts and refuses."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from planalign.config import Config, parse, scenario_settings, value_at
from planalign.errors import InputError, Problem

BASE = Path("/study")
LEVELS = {1: 0.01, 2: 0.02, 3: 0.03, 4: 0.04, 5: 0.05}


def nested(path: str, value: object) -> dict[str, Any]:
    data: Any = value
    for key in reversed(path.split(".")):
        data = {key: data}
    return data


def read(path: str, value: object) -> Any:
    found: Any = parse(nested(path, value), BASE)
    for key in path.split("."):
        found = getattr(found, key)
    return found


def refusal(path: str, value: object) -> Problem:
    with pytest.raises(InputError) as caught:
        parse(nested(path, value), BASE)
    assert len(caught.value.problems) == 1, str(caught.value)
    return caught.value.problems[0]


def test_the_simulated_years_are_at_most_a_hundred() -> None:
    assert read("simulation.end_year", 2124) == 2124


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("plan.eligibility.minimum_age", 22),
        ("plan.eligibility.months_of_service", 13),
        ("plan.eligibility.minimum_age", 20.5),
        ("simulation.end_year", 2125),
        ("simulation.end_year", 2024),
        ("resources.threads", 0),
        ("resources.threads", 257),
        ("resources.threads", "many"),
        ("resources.workers", 0),
        ("resources.workers", "all"),
        ("resources.employees_per_block", 0),
        ("resources.employees_per_block", "all"),
        ("resources.models_at_once", 2),
        ("resources.models_at_once", {"events": 0}),
        ("resources.models_at_once", {"events": "all"}),
        ("resources.models_at_once", {"validation": 1}),
        ("resources.memory_limit", "4"),
        ("resources.memory_limit", "0GB"),
        ("resources.memory_limit", "4 GB or so"),
        ("resources.memory_limit", 4),
        ("compensation.raise_cutoff", "02-29"),
        ("compensation.raise_cutoff", "13-01"),
        ("compensation.raise_cutoff", "1-1"),
        ("census_date", "2024-02-30"),
        ("census_date", "tomorrow"),
        ("census_date", 2024),
        ("census", ""),
        ("census", None),
        ("census", "a\0b"),
        ("census", "a\ud800b"),
        ("workforce.promotion_rate", None),
        ("workforce.promotion_rate", []),
        ("workforce.promotion_rate", True),
        ("workforce.promotion_rate", float("nan")),
        ("workforce.promotion_rate", float("inf")),
        ("workforce.promotion_rate", Decimal("sNaN")),
        ("workforce.promotion_rate", Decimal("1e999999")),
        ("workforce.promotion_rate", 0.0000001),
        ("workforce.promotion_rate", {}),
        ("compensation.performance", {}),
        ("compensation.performance", [{"rating": "meets", "share": 0, "multiplier": 1}]),
        ("compensation.performance", [{"rating": "meets", "share": 1, "multiplier": 0}]),
        ("compensation.performance", [{"rating": "Meets", "share": 1, "multiplier": 1}]),
        ("compensation.performance", [{"rating": "meets", "share": 1}]),
        ("compensation.performance", [{"rating": "a", "share": 1, "multiplier": 1}] * 2),
        ("compensation.performance", [{"rating": "a", "share": 1, "multiplier": [0, 0, 0, 0]}]),
        ("compensation.performance", [{"rating": "a", "share": 1, "multiplier": [1, 1, 1]}]),
        ("compensation.performance", [{"rating": "a", "share": 1, "multiplier": [1, 1, 1, -1]}]),
        (
            "compensation.performance",
            [{"rating": "a", "share": 1, "multiplier": 1, "promotion_factor": 0}],
        ),
        ("compensation.merit_positions", 0.5),
        ("compensation.merit_positions", [0.5, 0.5]),
        ("compensation.merit_positions", [0.5, 1.1]),
        ("compensation.merit_positions", [number / 10 for number in range(1, 11)]),
        ("workforce.promotions", "room"),
        ("workforce.hiring.levels", "weight"),
        ("workforce.hiring.level_weights", {1: 1}),
        ("workforce.hiring.month_weights", [1] * 11),
        ("workforce.hiring.month_weights", [0] * 12),
        ("workforce.hiring.month_weights", [*[1] * 11, -1]),
        ("workforce.hiring.month_weights", "january"),
        ("workforce.hiring.level_weights", {6: 1, 1: 1}),
        ("workforce.hiring.level_weights", {1: 0}),
        ("workforce.hiring.level_weights", {}),
        ("workforce.hiring.level_weights", [1, 2, 3, 4, 5]),
        ("workforce.hiring.age_weights", {"18-30": 1, "30-40": 1}),
        ("workforce.hiring.age_weights", {"15-20": 1}),
        ("workforce.hiring.age_weights", {"70-76": 1}),
        ("workforce.hiring.age_weights", {"40-30": 1}),
        ("workforce.hiring.age_weights", {"young": 1}),
        ("workforce.hiring.age_weights", {"18-30": 0}),
        ("census_columns", {"employe_id": "ID"}),
        ("census_columns", {"employee_id": 7}),
        ("census_columns", "ID"),
        ("scenarios", []),
        ("scenarios", {"-a": {}}),
        ("scenarios", {"a" * 65: {}}),
        ("scenarios", {"": {}}),
        ("scenarios", {"a b": {}}),
    ],
)
def test_refuses_and_names_the_key(path: str, value: object) -> None:
    found = refusal(path, value)
    assert found.column is not None
    assert found.column.startswith(path)
    assert found.remedy


def test_numbers_stay_exactly_as_written() -> None:
    assert str(read("compensation.cola_rate", 0.1)) == "0.1"
    assert str(read("compensation.cola_rate", Decimal("0.025000"))) == "0.025000"
    assert str(read("compensation.cola_rate", Decimal("0.0250000000"))) == "0.025000"
    assert str(read("compensation.cola_rate", -0.0)) == "0"
    assert str(read("workforce.hiring.month_weights", [Decimal("1E+2")] * 12)[0]) == "100"


def test_a_percentage_is_answered_with_the_fraction() -> None:
    found = refusal("workforce.promotion_rate", "2.5%")
    assert found.value == "2.5%"
    assert found.remedy == "Write 0.025"


def test_a_quoted_number_is_answered_with_remove_the_quotes() -> None:
    assert "quotes" in refusal("workforce.promotion_rate", "0.03").remedy


def test_an_unknown_word_is_answered_with_the_allowed_ones() -> None:
    found = refusal("workforce.alignment", "Exact")
    assert "Did you mean exact?" in found.remedy
    assert "expected, exact" in found.remedy


def test_a_value_by_year_holds_until_the_next() -> None:
    rate = read("workforce.promotion_rate", {2027: 0.02, 2025: 0.03})
    assert [value_at(rate, year) for year in (2025, 2026, 2027, 2040)] == [
        Decimal("0.03"),
        Decimal("0.03"),
        Decimal("0.02"),
        Decimal("0.02"),
    ]
    with pytest.raises(LookupError, match="2024"):
        value_at(rate, 2024)


def test_any_scalar_of_the_model_may_be_given_by_year() -> None:
    assert value_at(read("workforce.alignment", {2025: "expected", 2027: "exact"}), 2028) == "exact"
    assert value_at(read("plan.eligibility.minimum_age", {2020: 18, 2026: 21}), 2025) == 18
    entry = read("plan.eligibility.entry_dates", {2025: "monthly", 2026: "immediate"})
    assert value_at(entry, 2026) == "immediate"


def test_a_value_by_level_may_stand_within_a_year() -> None:
    rate = read("compensation.cola_rate", {2025: LEVELS, 2027: 0.03})
    assert value_at(rate, 2026, 4) == Decimal("0.04")
    assert value_at(rate, 2027, 4) == Decimal("0.03")
    assert value_at(read("compensation.cola_rate", LEVELS), 1999, 5) == Decimal("0.05")
    with pytest.raises(LookupError, match="level"):
        value_at(rate, 2025)


def test_a_plain_value_is_that_of_every_year_and_level() -> None:
    assert value_at(Decimal("0.03"), 2025) == Decimal("0.03")
    assert value_at("exact", 2025, 3) == "exact"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("compensation.cola_rate", {2026: 0.03}, "before 2026"),
        ("compensation.cola_rate", {1: 0.03, 2: 0.03}, "level 3, 4, 5"),
        ("compensation.cola_rate", {2025: {1: 0.03, 2: 0.03, 3: 0.1}}, "level 4, 5"),
        ("compensation.cola_rate", {2025: 0.03, 1: 0.03}, "mixes"),
        ("compensation.cola_rate", {2025: {2026: 0.1, **LEVELS}}, "not a job level"),
        ("compensation.cola_rate", {2025: 0.03, 2201: 0.03}, "not a key"),
        ("compensation.cola_rate", {**LEVELS, 6: 0.1}, "not a job level"),
        ("compensation.cola_rate", {"2025": 0.03}, "quotes"),
        ("compensation.cola_rate", {"soon": 0.03}, "not a key"),
        ("workforce.promotion_rate", LEVELS, "cannot be given by job level"),
        ("workforce.promotion_rate", {2025: LEVELS}, "single value"),
        ("workforce.promotion_rate", {2025: 7}, "from 0 to 1"),
    ],
)
def test_refuses_years_and_levels(path: str, value: object, message: str) -> None:
    assert message in refusal(path, value).message


def test_a_year_after_the_end_is_allowed() -> None:
    assert read("workforce.promotion_rate", {2025: 0.1, 2150: 0.2})


def test_the_low_percentile_never_exceeds_the_high_one() -> None:
    def hiring(low: object, high: object) -> dict[str, object]:
        return {"pay_percentile_low": low, "pay_percentile_high": high}

    assert read("workforce.hiring", hiring(0.5, 0.5))
    assert read("workforce.hiring", hiring({2025: 0.1, 2027: 0.6}, {2025: 0.5, 2027: 0.7}))
    assert "0.6" in refusal("workforce.hiring", hiring(0.6, 0.5)).message
    found = refusal("workforce.hiring", hiring({2025: 0.1, 2028: 0.6}, {2025: 0.9, 2027: 0.5}))
    assert "in 2028" in found.message


def test_weights_are_completed_and_ordered() -> None:
    given = {"levels": "weights", "level_weights": {2: 0.5, 1: 1}}
    weights = read("workforce.hiring", given).level_weights
    assert list(weights.items()) == [(1, 1), (2, Decimal("0.5")), (3, 0), (4, 0), (5, 0)]
    hiring = parse(nested("workforce.hiring.age_weights", {"30-40": 1, "16-29": 2}), BASE)
    assert hiring.workforce.hiring.age_bands == (((16, 29), 2), ((30, 40), 1))


def test_a_rating_has_a_multiplier_for_each_position() -> None:
    ratings = [{"rating": "a", "share": 1, "multiplier": [2, 1, 0.5]}]
    given = read("compensation", {"merit_positions": [0.4, 1], "performance": ratings})
    assert given.positions == (None, Decimal("0.4"), 1)
    assert [given.performance[0].multiplier_at(position) for position in range(3)] == [
        2,
        1,
        Decimal("0.5"),
    ]
    alone = read("compensation", {"merit_positions": [], "performance": []})
    assert alone.positions == (None,)


def test_memory_limits_are_written_one_way() -> None:
    written = ["512MB", "4gb", "3.5gib", "1 TB"]
    limits = [read("resources.memory_limit", limit) for limit in written]
    assert limits == ["512MB", "4GB", "3.5GiB", "1TB"]


def test_no_ratings_are_allowed() -> None:
    assert read("compensation.performance", []) == ()


def test_the_census_date_defaults_to_the_day_before_the_first_year() -> None:
    assert parse({}, BASE).effective_census_date == datetime.date(2024, 12, 31)
    later = parse(nested("simulation", {"start_year": 2030, "end_year": 2030}), BASE)
    assert later.effective_census_date == datetime.date(2029, 12, 31)
    given = parse({"census_date": datetime.date(2024, 6, 30)}, BASE)
    assert given.effective_census_date == datetime.date(2024, 6, 30)


def test_relative_paths_start_at_the_folder() -> None:
    config = parse({"census": "data/../c.csv", "dbt_project": "/models"}, BASE)
    assert config.census == Path("/study/c.csv")
    assert config.dbt_project == Path("/models")
    assert parse({}, BASE).census == Path("/study/census.parquet")
    assert parse({"census": Path("x.csv")}, BASE).census == Path("/study/x.csv")


def test_a_scenario_changes_what_it_names_and_nothing_else() -> None:
    config = parse(
        {
            "workforce": {"promotion_rate": 0.2, "hiring": {"pay_percentile_low": 0.3}},
            "compensation": {"cola_rate": {2025: 0.01, 2026: 0.02}},
            "scenarios": {
                "b": {"compensation": {"cola_rate": {2025: 0.05}}},
                "a": {"workforce": {"hiring": {"levels": "weights", "level_weights": {1: 1}}}},
                "same": None,
                2025: {},
            },
        },
        BASE,
    )
    settings = scenario_settings(config)
    assert list(settings) == ["b", "a", "same", "2025"]
    assert settings["b"].compensation.cola_rate == {2025: Decimal("0.05")}
    assert settings["b"].workforce == config.workforce
    assert settings["a"].workforce.hiring.level_weights == {1: 1, 2: 0, 3: 0, 4: 0, 5: 0}
    assert settings["a"].workforce.hiring.pay_percentile_low == Decimal("0.3")
    assert settings["a"].workforce.promotion_rate == Decimal("0.2")
    assert settings["same"].compensation == config.compensation


@pytest.mark.parametrize("scenarios", [None, {}])
def test_no_scenarios_are_one_baseline(scenarios: object) -> None:
    config = parse({"scenarios": scenarios, "workforce": {"promotion_rate": 0.2}}, BASE)
    assert list(scenario_settings(config)) == ["baseline"]
    assert config.scenarios["baseline"].workforce == config.workforce


def test_a_configuration_cannot_change_and_travels_between_processes() -> None:
    config = parse({"compensation": {"cola_rate": LEVELS}}, BASE)
    with pytest.raises(ValueError, match="frozen"):
        config.census = Path("x")
    with pytest.raises(TypeError, match="read-only"):
        config.census_columns["union"] = "x"  # type: ignore[index]
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301
    assert copy.deepcopy(config) == config
    assert hash(config) == hash(parse({"compensation": {"cola_rate": LEVELS}}, BASE))
    assert json.loads(config.model_dump_json())["compensation"]["cola_rate"]["1"] == "0.01"


def test_python_data_of_a_configuration_is_accepted_again() -> None:
    config = parse({"scenarios": {"a": {"workforce": {"promotion_rate": 0.2}}}}, BASE)
    again: Config = parse(config.model_dump(), Path("/elsewhere"))
    assert again == config
