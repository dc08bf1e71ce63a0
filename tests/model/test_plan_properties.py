"""What holds of every plan: random designs over random companies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.results.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

FIRST, LAST = 2025, 2027
SEEDS = (1, 2)
DESIGNS = 8
CENT = Decimal("0.01")

Plan = dict[str, Any]


def rates(random: Random, count: int, most: float) -> list[float]:
    return [round(random.uniform(0, most), 4) for _ in range(count)]


def match(random: Random) -> Plan:
    formula = random.choice(["none", "tiers", "tiers", "tiers", "safe_harbor_basic"])
    plan: Plan = {
        "formula": formula,
        "basis": random.choice(["pay_period", "pay_period", "annual"]),
        "true_up": random.choice([True, False]),
        "maximum_rate": random.choice([1, 0.04]),
        "maximum_amount": random.choice([None, 2500.5]),
    }
    if formula == "safe_harbor_basic":
        plan["maximum_amount"] = None
    if formula == "tiers":
        ends = sorted({end for end in rates(random, 3, 0.2) if end > 0})
        by_tier = rates(random, len(ends), 1.5)
        if random.random() < 0.6:
            by_tier.sort(reverse=True)
        plan["tiers"] = [
            {"up_to": end, "rate": rate} for end, rate in zip(ends, by_tier, strict=True)
        ]
        plan["last_day"] = random.choice([True, False])
        plan["hours"] = random.choice([0, 700])
    return plan


def vesting(random: Random) -> Any:
    steps = list(accumulate(rates(random, 3, 0.4)))
    return random.choice(["immediate", [0, 0, 1], [*(round(min(1, s), 4) for s in steps), 1]])


def design(random: Random) -> Plan:
    """Return a plan that the configuration accepts."""
    matched = match(random)
    core = round(random.uniform(0, 0.25), 4)
    excess = {"excess_rate": round(core + min(core, 0.04), 4), "integration_level": 0.5}
    amounts = {
        "elective_deferral": 9_000, "catch_up": 2_500, "compensation": 70_000,
        "annual_additions": 15_000, "roth_catch_up_wages": 50_000,
    }  # fmt: skip
    return {
        "pay_frequency": random.choice(["weekly", "biweekly", "semimonthly", "monthly"]),
        "investment_return_rate": round(random.uniform(-0.3, 0.3), 4),
        "eligibility": {
            "entry_dates": random.choice(["immediate", "monthly", "semiannual"]),
            "months_of_service": random.randint(0, 12),
            "hours_of_service": random.choice([0, 1000]),
            "excluded_levels": random.choice([[], [1]]),
        },
        "automatic_enrollment": {
            "enabled": random.choice([True, False]), "window_days": random.randint(0, 90),
            "opt_out_rate": round(random.uniform(0, 0.3), 4), "reenrollment": True,
        },
        "escalation": {"enabled": random.choice([True, False]), "scope": "all"},
        "deferrals": {
            "maximum_rate": random.choice([1, 0.75, 0.1]),
            "highly_compensated_maximum_rate": random.choice([1, 0.08]),
            "catch_up": random.random() < 0.8,
            **random.choice([{}, {"roth": False, "roth_share": 0}, {"roth_share": 1}]),
        },
        "behavior": {
            "deferral_factor": random.choice([1, 4]), "change_rate": 0.3,
            "participation_factor": random.choice([1, 2]),
        },
        "match": matched,
        "core": {"rate": core, **random.choice([{}, excess])},
        "vesting": {
            "match": vesting(random) if matched["formula"] in {"none", "tiers"} else "immediate",
            "core": vesting(random),
        },
        "forfeitures": {"use": random.choice(["reduce_cost", "pay_expenses", "reallocate"])},
        "limits": {"amounts": {
            name: dict.fromkeys(range(FIRST, LAST + 1), amount)
            for name, amount in amounts.items() if random.random() < 0.4
        }},
    }  # fmt: skip


def company(studies: Studies, seed: int) -> Path:
    """Return a generated company in which some save all they have."""
    path = studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * replace ("
            "[0, 0.04, 0.1, 0.3, 1, null][1 + row_number() over (order by employee_id) % 6]"
            "    as deferral_rate, "
            "if(employee_id like '%3', 18, weekly_hours) as weekly_hours), "
            "20000 as balance_match, 40000.01 as balance_core, "
            "0.9 * annual_compensation as prior_year_compensation "
            f"from '{studies.generated(160, seed)}') to '{path}' (format parquet)"
        )
    return path


YEARS = {"start_year": FIRST, "end_year": LAST}


@dataclass(frozen=True)
class Study:
    census: Path
    designs: Mapping[str, Plan]
    run: Run


@pytest.fixture(scope="module", params=SEEDS)
def study(request: pytest.FixtureRequest, shared_studies: Studies) -> Study:
    random = Random(request.param)  # noqa: S311 (not for secrets)
    designs = {f"design{number}": design(random) for number in range(DESIGNS)}
    census = company(shared_studies, request.param)
    return Study(census, designs, simulated(shared_studies, census, designs))


def simulated(studies: Studies, census: Path, designs: Mapping[str, Plan]) -> Run:
    scenarios = {name: {"plan": plan} for name, plan in designs.items()}
    return studies.simulate(census, simulation=YEARS, scenarios=scenarios)


# Every employee's year with the limits of it.
ROWS = """(
    from fct_workforce_snapshot
    join (
        select * rename (annual_additions as additions_limit) from (
            pivot int_plan_limits on limit_name using any_value(amount)
            group by scenario_id, simulation_year
        )
    ) using (scenario_id, simulation_year)
    select
        *,
        pre_tax_deferral + roth_deferral as regular,
        pre_tax_deferral + roth_deferral + catch_up_deferral as deferral,
        match_contribution + true_up_contribution as matched,
        least(plan_compensation, compensation) as counted
)"""

IMPOSSIBLE = {
    "402(g)": "regular > elective_deferral",
    "415(c)": "annual_additions > least(additions_limit, prorated_annual_compensation)",
    "414(v)": "catch_up_deferral > case when current_age < 50 then 0 "
    "when current_age between 60 and 63 then catch_up_60_to_63 else catch_up end",
    "deferral above pay": "deferral > plan_compensation",
    "Roth above catch-up": "roth_catch_up_deferral > catch_up_deferral",
    "sources": "annual_additions <> regular + matched + core_contribution + forfeiture_allocation",
    "vested": "not (vested_match_rate between 0 and 1 and vested_core_rate between 0 and 1)",
    "account": "least(match_balance, core_balance, forfeiture, forfeiture_allocation) < 0",
    "negative": "least(pre_tax_deferral, roth_deferral, catch_up_deferral, roth_catch_up_deferral, "
    "match_contribution, true_up_contribution, core_contribution) < 0",
    "stayer forfeits": "forfeiture > 0 and termination_date is null",
    "not covered": "not is_covered and deferral + matched + core_contribution <> 0",
    "limit without a deferral": "limit_date is not null and deferral = 0",
    "limit outside": "limit_date not between greatest(hire_date, plan_eligibility_date) "
    "and coalesce(termination_date, make_date(simulation_year, 12, 31))",
}


@pytest.mark.parametrize("condition", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_nobody_has_what_cannot_be(study: Study, condition: str) -> None:
    assert study.run.sql(f"from {ROWS} where {condition} limit 3").fetchall() == []


def formula(tiers: list[Plan], deferral: Decimal, pay: Decimal) -> Decimal:
    """Return the match of a deferral on a pay."""
    ends = [Decimal(0), *(pay * Decimal(str(tier["up_to"])) for tier in tiers)]
    return sum(
        (
            Decimal(str(tier["rate"])) * (min(deferral, high) - min(deferral, low))
            for tier, (low, high) in zip(tiers, pairwise(ends), strict=True)
        ),
        Decimal(0),
    )


def test_no_source_is_above_what_the_plan_gives(study: Study) -> None:
    plans = {
        scenario: json.loads(settings)["plan"]
        for scenario, settings in study.run.sql(
            "select scenario_id, settings from dim_scenarios"
        ).fetchall()
    }
    named = {"none": [], "safe_harbor_basic": [
        {"up_to": 0.03, "rate": 1}, {"up_to": 0.05, "rate": 0.5}
    ]}  # fmt: skip
    rows = study.run.sql(
        "select scenario_id, employee_id, is_highly_compensated, plan_compensation, counted, "
        f"regular, deferral, matched, core_contribution from {ROWS}"
    ).fetchall()
    for scenario, employee, highly_compensated, pay, counted, regular, deferral, *employer in rows:
        plan, key, [matched, core] = plans[scenario], (scenario, employee), employer
        deferrals, match = plan["deferrals"], plan["match"]
        most = Decimal(str(deferrals["maximum_rate"]))
        if highly_compensated:
            most = min(most, Decimal(str(deferrals["highly_compensated_maximum_rate"])))
        assert regular <= most * pay + CENT, key
        assert regular == deferral or deferrals["catch_up"], key
        tiers = named.get(match["formula"], match["tiers"])
        by_tier = [tier["rate"] for tier in tiers]
        assert matched <= formula(tiers, counted, counted) + CENT, key
        if by_tier == sorted(by_tier, reverse=True):
            assert matched <= formula(tiers, deferral + CENT, counted) + CENT, key
        assert matched <= Decimal(str(match["maximum_rate"])) * counted + CENT, key
        assert matched <= Decimal(str(match["maximum_amount"] or "Infinity")), key
        rate = max(plan["core"]["rate"], plan["core"]["excess_rate"] or 0)
        assert core <= Decimal(str(rate)) * counted + CENT, key


def test_what_leavers_forfeit_is_used_but_for_cents(study: Study) -> None:
    rows = study.run.sql(
        "select scenario_id, simulation_year, sum(match_contribution + true_up_contribution "
        "+ core_contribution), sum(forfeiture), sum(forfeiture_allocation), "
        "count(*) filter (forfeiture_allocation > 0), bool_or(annual_additions "
        "= least(additions_limit, prorated_annual_compensation)), "
        "any_value(cost_reduction), any_value(expenses_paid), any_value(employer_cost) "
        f"from {ROWS} join (select scenario_id, simulation_year, cost_reduction, expenses_paid, "
        "employer_cost from fct_plan_costs) using (scenario_id, simulation_year) group by all"
    ).fetchall()
    assert len(rows) == DESIGNS * (LAST - FIRST + 1)
    for scenario, _, paid, forfeited, allocated, shares, limited, reduction, expenses, cost in rows:
        assert cost == paid - reduction
        if study.designs[scenario]["forfeitures"]["use"] == "reallocate":
            assert reduction == expenses == 0
            assert allocated <= forfeited
            assert limited or forfeited - allocated <= CENT * shares
        else:
            assert allocated == 0
            assert reduction + expenses == forfeited or reduction == paid
            assert expenses == 0 or study.designs[scenario]["forfeitures"]["use"] == "pay_expenses"


def test_a_deferral_rate_changes_by_an_event_only(study: Study) -> None:
    decisions = (
        "(select scenario_id, simulation_year, employee_id, effective_date, event_type, "
        "(event_payload->>'$.previous')::decimal(9, 6) as previous, "
        "(event_payload->>'$.amount')::decimal(9, 6) as amount from fct_yearly_events "
        "where event_type in ('enrollment', 'opt_out', 'deferral_change', 'escalation'))"
    )
    year = "scenario_id, simulation_year, employee_id"
    wrong = study.run.sql(
        f"select {year}, opening.deferral_rate, previous, amount, closing.deferral_rate "
        "from fct_workforce_snapshot as closing "
        "left join (select * replace (simulation_year + 1 as simulation_year) "
        f"from fct_workforce_snapshot) as opening using ({year}) "
        f"left join {decisions} using ({year}) "
        f"where (simulation_year > {FIRST} or closing.hire_date >= '{FIRST}-01-02') and ("
        # Before an enrolment nothing is deferred, whatever the census says of later.
        "if(event_type = 'enrollment', 0, coalesce(opening.deferral_rate, 0)) "
        "<> coalesce(previous, closing.deferral_rate) "
        "or closing.deferral_rate <> coalesce(amount, closing.deferral_rate) "
        "or effective_date > closing.termination_date "
        "or effective_date < closing.plan_eligibility_date)"
    ).fetchall()
    assert wrong == []
    [(repeated,)] = study.run.sql(
        f"select count(*) from (from {decisions} select count(*) as events group by {year}) "
        "where events > 1"
    ).fetchall()
    assert repeated == 0


def test_the_order_of_the_census_changes_no_bit(shared_studies: Studies, study: Study) -> None:
    path = shared_studies.new(".parquet")
    duckdb.execute(
        f"copy (from '{study.census}' order by md5(employee_id)) to '{path}' (format parquet)"
    )
    shuffled = simulated(shared_studies, path, study.designs)
    assert fingerprint(shuffled) == fingerprint(study.run)
    shuffled.close()


@pytest.fixture(scope="module")
def varied(shared_studies: Studies) -> Run:
    """Each design as it is, with a richer match, and without and with automatic enrolment."""
    random = Random(7)  # noqa: S311 (not for secrets)
    scenarios = {}
    for number in range(DESIGNS):
        plan = design(random)
        tiers = [{"up_to": 0.03, "rate": 0.4}, {"up_to": 0.08, "rate": 0.2}]
        rich = [{"up_to": 0.03, "rate": 1}, {"up_to": 0.08, "rate": 0.21}]
        for name, changed in (("poor", tiers), ("rich", rich)):
            # Under a maximum rate the richer match is full at a lower deferral.
            whole = {"formula": "tiers", "tiers": changed, "maximum_rate": 1}
            matched = plan["match"] | whole
            scenarios[f"{name}{number}"] = plan | {"match": matched}
        for name, enabled in (("voluntary", False), ("automatic", True)):
            enrolled = plan["automatic_enrollment"] | {"enabled": enabled, "opt_out_rate": 0.05}
            scenarios[f"{name}{number}"] = plan | {"automatic_enrollment": enrolled}
    return simulated(shared_studies, company(shared_studies, 7), scenarios)


def pairs(run: Run, one: str, other: str, condition: str) -> list[tuple[Any, ...]]:
    """Return employees' years in which two variants of a design are so."""
    return run.sql(
        "from fct_workforce_snapshot as one join fct_workforce_snapshot as other on "
        f"one.scenario_id like '{one}%' and other.scenario_id "
        f"= replace(one.scenario_id, '{one}', '{other}') "
        "and one.simulation_year = other.simulation_year and one.employee_id = other.employee_id "
        "select one.scenario_id, one.simulation_year, one.employee_id, one.match_contribution, "
        "other.match_contribution, one.deferral_rate, other.deferral_rate, "
        f"other.enrollment_status where {condition}"
    ).fetchall()


def test_a_higher_match_rate_gives_nobody_less(varied: Run) -> None:
    more = "{0}.match_contribution + {0}.true_up_contribution"
    poor, rich = more.format("one"), more.format("other")
    assert pairs(varied, "poor", "rich", f"{rich} < {poor}")[:5] == []
    assert len(pairs(varied, "poor", "rich", f"{rich} > {poor}")) > 1000
    # Nor does it move anybody's deferral, because the tiers end where they did.
    assert pairs(varied, "poor", "rich", "one.deferral_rate <> other.deferral_rate") == []


def test_automatic_enrolment_loses_no_saver(varied: Run) -> None:
    saves = "{0}.is_covered and {0}.deferral_rate > 0"
    lost = pairs(
        varied, "voluntary", "automatic",
        f"{saves.format('one')} and not ({saves.format('other')}) "
        # Who chooses nothing waits for the end of the window.
        "and other.enrollment_status <> 'undecided'",
    )  # fmt: skip
    assert lost[:5] == []
    costs = varied.sql(
        "select voluntary.participation_rate, automatic.participation_rate from fct_plan_costs "
        "as voluntary join fct_plan_costs as automatic on automatic.scenario_id "
        "= replace(voluntary.scenario_id, 'voluntary', 'automatic') "
        "and voluntary.simulation_year = automatic.simulation_year "
        "where voluntary.scenario_id like 'voluntary%'"
    ).fetchall()
    assert len(costs) == DESIGNS * (LAST - FIRST + 1)
    assert all(voluntary <= automatic for voluntary, automatic in costs)
    assert sum(voluntary < automatic for voluntary, automatic in costs) > len(costs) // 2
