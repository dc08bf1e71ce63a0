"""Every key of the configuration does something, and only what it says."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.config import ScenarioSettings, default_levels
from planalign.config.declarations import keys
from planalign.errors import InputError
from planalign.marts.packaged import PACKAGED
from planalign.results.fingerprint import fingerprint
from planalign.study import configuration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

LATE = [0] * 11 + [1]
RATINGS = [
    {"rating": "low", "share": 1, "multiplier": 0.5},
    {"rating": "high", "share": 1, "multiplier": 1.5},
]


def ratings(**changes: Any) -> list[dict[str, Any]]:
    return [RATINGS[0], {**RATINGS[1], **changes}]


def levels(count: int = 5, **changes: Any) -> list[dict[str, Any]]:
    """Return the first job levels of today, the second of them changed."""
    given = [level.model_dump() for level in default_levels()[:count]]
    return [given[0], {**given[1], **changes}, *given[2:]]


BASE: dict[str, Any] = {
    "census_date": "2024-12-31",
    "simulation": {"start_year": 2025, "end_year": 2025},
    "compensation": {"performance": RATINGS},
}

# Another value for every key; a file or folder by what it is.
CHANGES: dict[str, Any] = {
    "census": "other census",
    "census_columns": {"annual_compensation": "other_pay"},
    "extra_columns": {"other_pay": "number"},
    "dbt_project": "other market bands",
    "models": "own market bands",
    "tables": "market bands of the study",
    "job_levels": [*levels(), {**levels()[4], "name": "Level 6"}],
    "job_levels.band_minimum": levels(band_minimum=50_000),
    "job_levels.band_maximum": levels(band_maximum=99_000),
    "job_levels.termination_factor": levels(termination_factor=3),
    "job_levels.promotion_hazard": levels(promotion_hazard=0.5),
    "job_levels.hire_share": levels(hire_share=2),
    "simulation.start_year": 2024,
    "simulation.end_year": 2026,
    "simulation.random_seed": 43,
    "simulation.replicates": 2,
    "workforce.target_growth_rate": 0.2,
    "workforce.total_termination_rate": 0.3,
    "workforce.new_hire_termination_rate": 0.6,
    "workforce.promotion_rate": 0.3,
    "workforce.promotions": "rates",
    "workforce.alignment": "exact",
    "workforce.hiring.levels": "weights",
    "workforce.hiring.level_weights": {5: 1},
    "workforce.hiring.age_weights": {"50-60": 1},
    "workforce.hiring.month_weights": LATE,
    "workforce.hiring.pay_percentile_low": 0.5,
    "workforce.hiring.pay_percentile_high": 0.6,
    "compensation.cola_rate": 0.1,
    "compensation.merit_budget": 0.1,
    "compensation.promotion_increase": 0.9,
    "compensation.market_adjustment": 0.2,
    "compensation.raise_months": LATE,
    "compensation.promotion_months": LATE,
    "compensation.raise_cutoff": "01-01",
    "compensation.merit_positions": [0.05, 0.1, 0.15],
    "compensation.performance": [{"rating": "good", "share": 1, "multiplier": 1}],
    "compensation.performance.rating": ratings(rating="higher"),
    "compensation.performance.share": ratings(share=3),
    "compensation.performance.multiplier": ratings(multiplier=2),
    "compensation.performance.promotion_factor": ratings(promotion_factor=9),
    "plan.offered": False,
    "plan.pay_frequency": "monthly",
    "plan.investment_return_rate": 0.5,
    "plan.eligibility.minimum_age": 18,
    "plan.eligibility.months_of_service": 12,
    "plan.eligibility.hours_of_service": 1000,
    "plan.eligibility.entry_dates": "immediate",
    "plan.eligibility.exclude_union": True,
    "plan.eligibility.excluded_departments": ["Sales"],
    "plan.eligibility.excluded_levels": [1],
    "plan.automatic_enrollment.enabled": True,
    "plan.automatic_enrollment.scope": "new_hires",
    "plan.automatic_enrollment.hired_since": "2000-01-01",
    "plan.automatic_enrollment.default_rate": 0.04,
    "plan.automatic_enrollment.window_days": 0,
    "plan.automatic_enrollment.opt_out_rate": 0.5,
    "plan.automatic_enrollment.reenrollment": True,
    "plan.automatic_enrollment.reenrollment_opt_out_rate": 1,
    "plan.escalation.enabled": True,
    "plan.escalation.scope": "all",
    "plan.escalation.step": 0.02,
    "plan.escalation.cap": 0.05,
    "plan.escalation.date": "07-01",
    "plan.escalation.opt_out_rate": 1,
    "plan.deferrals.maximum_rate": 0.03,
    "plan.deferrals.highly_compensated_maximum_rate": 0.01,
    "plan.deferrals.catch_up": False,
    "plan.deferrals.roth": False,
    "plan.deferrals.roth_share": 0.5,
    "plan.behavior.participation_factor": 5,
    "plan.behavior.deferral_factor": 2,
    "plan.behavior.own_choice_share": 1,
    "plan.behavior.change_rate": 1,
    "plan.behavior.full_match_share": 1,
    "plan.match.formula": "tiers",
    "plan.match.by": "points",
    "plan.match.tiers": [{"up_to": 0.03, "rate": 1}, {"up_to": 0.05, "rate": 0.5}],
    "plan.match.maximum_rate": 0.01,
    "plan.match.maximum_amount": 100,
    "plan.match.basis": "annual",
    "plan.match.true_up": False,
    "plan.match.last_day": True,
    "plan.match.hours": 1000,
    "plan.core.rate": 0.05,
    "plan.core.by": "service",
    "plan.core.tiers": [{"from": 0, "rate": 0.01}, {"from": 5, "rate": 0.03}],
    "plan.core.excess_rate": 0.05,
    "plan.core.integration_level": 0.5,
    "plan.core.last_day": True,
    "plan.core.hours": 1000,
    "plan.vesting.match": [0, 0, 0, 1],
    "plan.vesting.core": [0, 0, 0, 1],
    "plan.forfeitures.use": "reallocate",
    "plan.forfeitures.expense_per_participant": 1,
    "plan.highly_compensated.top_paid_group": True,
    "plan.limits.price_index_rate": 0.05,
    "plan.limits.wage_index_rate": 0.05,
    "plan.limits.amounts": {"elective_deferral": {2025: 1000}},
    "scenarios": {"baseline": {}, "other": {}},
}

# What a key of the plan needs beside it to have an effect: other keys of the plan.
MATCHED = {"match": {"formula": "tiers"}}
AUTOMATIC = {"automatic_enrollment": {"enabled": True}}
SWEPT = {"automatic_enrollment": {"enabled": True, "opt_out_rate": 0.5, "reenrollment": True}}
ESCALATED = {"escalation": {"enabled": True, "scope": "all"}}
CORE = {"core": {"rate": 0.03}}
INTEGRATED = {"core": {"rate": 0.03, "excess_rate": 0.05, "integration_level": 0.2}}
BY_SERVICE = [{"from": 0, "rate": 0.02}, {"from": 10, "rate": 0.06}]
GROUPS = [{"up_to": 0.06, "rate": 0.5}, {"from": 10, "up_to": 0.06, "rate": 1}]
FORFEITED = {"vesting": {"match": [0, 0, 0, 1], "core": [0, 0, 0, 1]}}


def low(limit: str) -> dict[str, Any]:
    """Return a limit so low that it is reached early in the year."""
    return {"limits": {"amounts": {limit: dict.fromkeys(range(2023, 2027), 1_000)}}}


def paid_by_period(**match: Any) -> dict[str, Any]:
    return {"match": {"formula": "tiers", **match}, **low("elective_deferral")}


# Everybody earned more than a thousand dollars in the year before.
HIGHLY_PAID = {
    "deferrals": {"highly_compensated_maximum_rate": 0.02},
    **low("highly_compensated"),
}
ROTH_CATCH_UP = {
    "deferrals": {"roth_share": 0},
    "limits": {"amounts": {
        name: {2025: 1_000, 2026: 1_000} for name in ("elective_deferral", "roth_catch_up_wages")
    }},
}  # fmt: skip
PLAN: dict[str, dict[str, Any]] = {
    "pay_frequency": paid_by_period(true_up=False),
    "investment_return_rate": FORFEITED,
    "automatic_enrollment.scope": AUTOMATIC,
    "automatic_enrollment.hired_since": {
        "automatic_enrollment": {"enabled": True, "scope": "new_hires"}
    },
    "automatic_enrollment.default_rate": AUTOMATIC,
    "automatic_enrollment.window_days": AUTOMATIC,
    "automatic_enrollment.opt_out_rate": AUTOMATIC,
    "automatic_enrollment.reenrollment": {
        "automatic_enrollment": {"enabled": True, "opt_out_rate": 0.5}
    },
    "automatic_enrollment.reenrollment_opt_out_rate": SWEPT,
    "escalation.enabled": {"escalation": {"scope": "all"}},
    "escalation.scope": {**AUTOMATIC, "escalation": {"enabled": True}},
    "escalation.step": ESCALATED,
    "escalation.cap": ESCALATED,
    "escalation.date": ESCALATED,
    "escalation.opt_out_rate": ESCALATED,
    "deferrals.highly_compensated_maximum_rate": HIGHLY_PAID,
    "deferrals.catch_up": low("elective_deferral"),
    "deferrals.roth": ROTH_CATCH_UP,
    "behavior.own_choice_share": AUTOMATIC,
    "behavior.full_match_share": MATCHED,
    "match.by": {"match": {"formula": "tiers", "by": "service", "tiers": GROUPS}},
    "match.tiers": MATCHED,
    "match.maximum_rate": MATCHED,
    "match.maximum_amount": MATCHED,
    "match.basis": paid_by_period(true_up=False),
    "match.true_up": paid_by_period(),
    "match.last_day": MATCHED,
    "match.hours": MATCHED,
    "core.by": {"core": {"rate": 0.03, "tiers": BY_SERVICE}},
    "core.tiers": {"core": {"by": "service", "tiers": BY_SERVICE}},
    "core.excess_rate": {"core": {"rate": 0.03, "integration_level": 0.2}},
    "core.integration_level": INTEGRATED,
    "core.last_day": CORE,
    "core.hours": CORE,
    "vesting.match": MATCHED,
    "vesting.core": CORE,
    "forfeitures.use": FORFEITED,
    "forfeitures.expense_per_participant": {**FORFEITED, "forfeitures": {"use": "pay_expenses"}},
    "highly_compensated.top_paid_group": HIGHLY_PAID,
}
CONTEXT: dict[str, dict[str, Any]] = {f"plan.{key}": {"plan": plan} for key, plan in PLAN.items()}
# What a key of the workforce needs beside it.
CONTEXT["workforce.promotions"] = {"workforce": {"promotion_rate": 0.3}}
CONTEXT["workforce.hiring.level_weights"] = {"workforce": {"hiring": {"levels": "weights"}}}
CONTEXT["compensation.merit_positions"] = {
    "compensation": {"performance": [{"rating": "all", "share": 1, "multiplier": [2, 1, 0.5, 0]}]}
}
# A first or last year other than that of the base.
CONTEXT["plan.deferrals.roth"]["simulation"] = {"start_year": 2025, "end_year": 2026}
for index in ("price", "wage"):
    CONTEXT[f"plan.limits.{index}_index_rate"] = {
        "simulation": {"start_year": 2030, "end_year": 2030}
    }
WITHOUT_EFFECT = {
    "job_levels.name": levels(name="Associate"),
    "resources.threads": 3,
    "resources.memory_limit": "1GB",
    "resources.workers": 2,
    "resources.models_at_once": {"events": 1, "snapshot": 1},
    "resources.employees_per_block": 1,
}
# Tested on its own: it says which census is refused.
REFUSING = {"census_date"}
# Tested on their own: one is nothing without the other, or without models that read it.
DESIGNS = {"designs", "plan.design"}
READ_BY_OWN_MODELS = {"parameters"}

# Marts that hold the configuration itself.
ECHOES = {"dim_scenarios", "int_effective_parameters", "all"}


KEYS = {key.dotted: key for key in keys()}


def given(key: str, value: Any) -> dict[str, Any]:
    """Return the settings that give a key a value."""
    parts = key.split(".")
    if parts[:2] == ["compensation", "performance"]:
        parts = parts[:2]
    if parts[0] == "job_levels":
        parts = parts[:1]
    for part in reversed(parts):
        value = {part: value}
    return value


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            result[key] = merged(base[key], value)
        else:
            result[key] = value
    return result


SCENARIO_KEYS = [key for key in CHANGES if key.split(".")[0] in ScenarioSettings.model_fields]


@pytest.fixture(scope="module")
def company(shared_studies: Studies) -> Path:
    """A company whose census has another column of pay, and every column that a plan uses."""
    path = shared_studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * replace ("
            "if(employee_id like '%3', 15, weekly_hours) as weekly_hours, "
            "if(employee_id like '%7', null, deferral_rate) as deferral_rate), "
            "employee_id like '%5' as \"union\", annual_compensation as prior_year_compensation, "
            "20000 as balance_match, 20000 as balance_core, "
            "annual_compensation + 100 as other_pay "
            f"from '{shared_studies.generated(250, 2)}') to '{path}' (format parquet)"
        )
    return path


@pytest.fixture(scope="module")
def digests(shared_studies: Studies, company: Path) -> Callable[..., dict[str, str]]:
    @cache
    def base(way: str | None) -> dict[str, str]:
        return fingerprint(shared_studies.simulate(company, **hiring(way)))

    def hiring(way: str | None) -> dict[str, Any]:
        return BASE if way is None else {**BASE, "workforce": {"hiring": {"levels": way}}}

    def of(key: str, value: Any = None) -> dict[str, str]:
        # Whom the levels hire is looked at with weights alone.
        way = "weights" if key in {"job_levels", "job_levels.hire_share"} else None
        if value is None:
            return base(way)
        change = given(key, value)
        census = company
        if value == "other census":
            census, change = shared_studies.generated(250, 3), {}
        if value == "other market bands":
            change["dbt_project"] = str(other_project(shared_studies.new()))
        if value == "own market bands":
            change["models"] = str(own_bands(shared_studies.new()))
        if value == "market bands of the study":
            bands = own_bands(shared_studies.new()) / "seeds" / "market_bands.csv"
            change["tables"] = {"market_bands": str(bands)}
        if key == "simulation.start_year":
            change["census_date"] = "2023-12-31"
            census = hired_by(shared_studies, company, "2023-12-31")
        run = shared_studies.simulate(census, **merged(hiring(way), change))
        found = fingerprint(run)
        run.close()
        return found

    return of


def hired_by(studies: Studies, census: Path, day: str) -> Path:
    path = studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from '{census}' where hire_date <= '{day}' "
            f"and termination_date is null) to '{path}' (format parquet)"
        )
    return path


def other_project(folder: Path) -> Path:
    shutil.copytree(PACKAGED, folder)
    return own_bands(folder)


def own_bands(folder: Path) -> Path:
    bands = PACKAGED / "seeds" / "market_bands.csv"
    own = folder / "seeds" / bands.name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(bands.read_text(encoding="utf-8").replace("38000.00", "39000.00"))
    return folder


def test_every_key_is_tried() -> None:
    tried = CHANGES.keys() | WITHOUT_EFFECT.keys() | REFUSING | DESIGNS | READ_BY_OWN_MODELS
    assert tried == set(KEYS)


@pytest.fixture(scope="module")
def studied(shared_studies: Studies, company: Path) -> Callable[[str], tuple[Run, str, str]]:
    """Give the run of a key, and its scenarios without and with another value of it."""

    @cache
    def study(years: tuple[tuple[str, int], ...]) -> Run:
        scenarios: dict[str, Any] = {}
        for number, key in enumerate(SCENARIO_KEYS):
            if years_of(key) == years:
                scenarios[f"without-{number}"] = beside_of(key)
                scenarios[f"with-{number}"] = merged(beside_of(key), given(key, CHANGES[key]))
        settings = merged(BASE, {"simulation": dict(years), "scenarios": scenarios})
        return shared_studies.simulate(company, **settings)

    def of(key: str) -> tuple[Run, str, str]:
        number = SCENARIO_KEYS.index(key)
        return study(years_of(key)), f"without-{number}", f"with-{number}"

    return of


def years_of(key: str) -> tuple[tuple[str, int], ...]:
    return tuple(merged(BASE, CONTEXT.get(key, {}))["simulation"].items())


@pytest.mark.parametrize("key", SCENARIO_KEYS)
def test_another_value_in_a_scenario_gives_another_result(
    studied: Callable[[str], tuple[Run, str, str]], key: str
) -> None:
    run, without, other = studied(key)
    marts = set(run.compared) - ECHOES
    # The ids of events differ by scenario.
    columns = {
        mart: ", ".join(
            column.name
            for column in run.columns(mart)
            if column.name not in {"scenario_id", "event_id"}
        )
        for mart in marts
    }
    assert any(
        run.sql(
            f"select {columns[mart]} from {mart} where scenario_id = '{without}' except all "
            f"select {columns[mart]} from {mart} where scenario_id = '{other}'"
        ).fetchall()
        for mart in marts
    )


@pytest.mark.parametrize("key", [key for key in CHANGES if key not in SCENARIO_KEYS])
def test_another_value_gives_another_result(
    digests: Callable[..., dict[str, str]], key: str
) -> None:
    base, changed = digests(key), digests(key, CHANGES[key])
    assert changed["all"] != base["all"]
    # Not only where the settings themselves are kept.
    assert {mart for mart in base if base[mart] != changed[mart]} - ECHOES


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
def test_another_machine_or_name_gives_the_same_result(
    digests: Callable[..., dict[str, str]], key: str
) -> None:
    assert digests(key, WITHOUT_EFFECT[key]) == digests(key)


def test_a_plan_that_starts_from_a_design_is_the_one_written_out(
    shared_studies: Studies, company: Path
) -> None:
    lean = {"match": {"formula": "tiers", "hours": 500}, "core": {"rate": 0.01}}
    rich = {"match": {"tiers": [{"up_to": 0.1, "rate": 1}]}, "core": {"rate": 0.05}}
    own = {"match": {"hours": 0}}
    named = shared_studies.simulate(
        company,
        **BASE,
        designs={"lean": lean, "rich": rich},
        plan={"design": "lean"},
        scenarios={
            "none": {"plan": {"match": {"formula": "none"}, "core": {"rate": 0}}},
            "lean": {},
            "rich": {"plan": {"design": "rich", **own}},
        },
    )
    written = shared_studies.simulate(
        company,
        **BASE,
        plan=lean,
        scenarios={
            "none": {"plan": {"match": {"formula": "none"}, "core": {"rate": 0}}},
            "lean": {},
            "rich": {"plan": merged(rich, own)},
        },
    )
    assert fingerprint(named) == fingerprint(written)
    costs = dict(
        named.sql(
            "select scenario_id, match_contribution + core_contribution from fct_plan_costs"
        ).fetchall()
    )
    assert 0 == costs["none"] < costs["lean"] < costs["rich"]


def test_census_date_says_what_is_in_the_future(studies: Studies) -> None:
    census = studies.census([("E1", "1980-01-01", "2024-06-15", "50000", 1)])
    years = {"start_year": 2025, "end_year": 2025}
    run = studies.simulate(census, simulation=years, census_date="2024-06-15")
    assert run.summary()[0].opening_headcount == 1
    with pytest.raises(InputError, match="after the census date 2024-06-14"):
        studies.simulate(census, simulation=years, census_date="2024-06-14")


# What has vested is not taken back: over the years, these can only become faster.
FASTER = {"plan.vesting.match": "immediate", "plan.vesting.core": "immediate"}


def beside_of(key: str) -> dict[str, Any]:
    """Return what a key needs beside it, as far as a scenario can give it."""
    context = CONTEXT.get(key, {})
    return {section: context[section] for section in context if section != "simulation"}


def value_of(key: str) -> Any:
    value: Any = configuration(beside_of(key))
    for part in key.split("."):
        value = getattr(value, part)
    return value


def varying(by: str) -> list[str]:
    """Return the keys that may be given by year, or by level."""
    return [key for key in SCENARIO_KEYS if by in KEYS[key].varies]


def by_year(key: str) -> dict[int, Any]:
    if key in FASTER:
        return {2025: CHANGES[key], 2026: FASTER[key]}
    return {2025: value_of(key), 2026: CHANGES[key]}


def by_level(key: str) -> dict[int, Any]:
    return {level: CHANGES[key] if level == 3 else value_of(key) for level in range(1, 6)}


BY_YEAR, BY_LEVEL = varying("year"), varying("level")


@pytest.fixture(scope="module")
def variants(shared_studies: Studies, company: Path) -> Run:
    """One scenario for each key that is given by year or by level, and what it differs from."""
    scenarios: dict[str, Any] = {"base": {}}
    for number, key in enumerate(BY_YEAR):
        scenarios[f"year-{number}"] = merged(beside_of(key), given(key, by_year(key)))
        scenarios[f"beside-{number}"] = merged(beside_of(key), given(key, by_year(key)[2025]))
    scenarios |= {f"level-{n}": given(key, by_level(key)) for n, key in enumerate(BY_LEVEL)}
    return shared_studies.simulate(
        company, simulation={"start_year": 2025, "end_year": 2026}, scenarios=scenarios
    )


# The indices count beyond the last published year: tested on their own, below.
@pytest.mark.parametrize("key", [key for key in BY_YEAR if not key.endswith("_index_rate")])
def test_a_value_by_year_holds_from_that_year(variants: Run, key: str) -> None:
    def rows(scenario: str, year: int) -> list[list[tuple[Any, ...]]]:
        return [
            variants.sql(
                f"select * exclude (scenario_id) from {mart} "
                f"where scenario_id = '{scenario}' and simulation_year = {year} order by all"
            ).fetchall()
            for mart in ("fct_workforce_snapshot", "fct_plan_costs")
        ]

    number = BY_YEAR.index(key)
    assert rows(f"year-{number}", 2025) == rows(f"beside-{number}", 2025)
    assert rows(f"year-{number}", 2026) != rows(f"beside-{number}", 2026)


@pytest.mark.parametrize("key", BY_LEVEL)
def test_a_value_by_level_is_for_that_level(variants: Run, key: str) -> None:
    changed = f"level-{BY_LEVEL.index(key)}"
    moved = variants.sql(
        "select distinct coalesce((before.event_payload->>'$.from_level')::integer, "
        "before.job_level), before.event_type "
        "from fct_yearly_events as before full join "
        f"(select * from fct_yearly_events where scenario_id = '{changed}') as after "
        "using (replicate, simulation_year, employee_id, event_type) "
        "where before.scenario_id = 'base' and simulation_year = 2025 and event_type in "
        f"{'(%s)' % kinds(key)} and before.compensation_amount - before.previous_compensation "  # noqa: UP031
        "is distinct from after.compensation_amount - after.previous_compensation"
    ).fetchall()
    assert {level for level, _ in moved} == {3}


def kinds(key: str) -> str:
    """Return the events that a key is for; others follow from their pay."""
    return {
        "compensation.promotion_increase": "'promotion'",
        "compensation.market_adjustment": "'hire'",
    }.get(key, "'raise'")


def test_the_parameters_in_force_are_those_configured(variants: Run) -> None:
    found = variants.sql(
        "select simulation_year, job_level, cola_rate from int_effective_parameters "
        f"where scenario_id = 'level-{BY_LEVEL.index('compensation.cola_rate')}'"
    ).fetchall()
    rate = {level: Decimal("0.1" if level == 3 else "0") for level in range(1, 6)}
    expected = {(year, level, rate[level]) for year in (2025, 2026) for level in rate}
    assert set(found) == expected
    assert len(found) == 10


def test_an_index_by_year_holds_from_that_year(studies: Studies, company: Path) -> None:
    run = studies.simulate(
        company,
        census_date="2024-12-31",
        simulation={"start_year": 2028, "end_year": 2029},
        plan={
            "limits": {
                "price_index_rate": {2028: 0, 2029: 0.1},
                "wage_index_rate": {2028: 0.1, 2029: 0},
            }
        },
    )
    found = run.sql(
        "select limit_name, simulation_year, amount from int_plan_limits "
        "where limit_name in ('elective_deferral', 'wage_base') order by all"
    ).fetchall()
    # Published for 2026: 24,500 and 184,500. 184,500 x 1.1 x 1.1 = 223,245, down to 300s.
    assert found == [
        ("elective_deferral", 2028, 24_500),
        ("elective_deferral", 2029, 26_500),
        ("wage_base", 2028, 223_200),
        ("wage_base", 2029, 223_200),
    ]


def test_no_ratings_pay_everybody_the_same(studies: Studies, company: Path) -> None:
    run = studies.simulate(company, **merged(BASE, {"compensation": {"performance": []}}))
    raises = run.sql(
        "select count(*), count(distinct round(compensation_amount::double "
        "/ previous_compensation, 4)), min(round(compensation_amount::double "
        "/ previous_compensation, 4)) from fct_yearly_events where event_type = 'raise'"
    ).fetchall()
    [(count, different, factor)] = raises
    assert count > 150
    assert different == 1
    assert factor == 1.03
