"""What holds of every plan: random designs over random companies."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.results.fingerprint import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

FIRST, LAST = 2025, 2027
SEEDS = (1, 2, 3)
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


@pytest.fixture(scope="module")
def designs() -> dict[str, Plan]:
    random = Random(42)  # noqa: S311 (not for secrets)
    return {f"design{number}": design(random) for number in range(DESIGNS)}


@pytest.fixture(scope="module", params=SEEDS)
def run(request: pytest.FixtureRequest, shared_studies: Studies) -> tuple[Run, dict[str, Plan]]:
    random = Random(request.param)  # noqa: S311 (not for secrets)
    drawn = {f"design{number}": design(random) for number in range(DESIGNS)}
    return shared_studies.simulate(
        company(shared_studies, request.param),
        simulation=YEARS,
        scenarios={name: {"plan": plan} for name, plan in drawn.items()},
    ), drawn
