"""Results of stored studies never change; a change that means to says why in its commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planalign.census import generate_census
from planalign.config import parse
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, run_study

GOLDEN = Path(__file__).parent / "golden.json"
YEARS = {"start_year": 2025, "end_year": 2027, "random_seed": 42}
# name -> employees of the census, its seed, and the configuration.
STUDIES: dict[str, tuple[int, int, dict[str, object]]] = {
    "defaults": (1_000, 42, {"simulation": YEARS}),
    "seeds": (200, 7, {"simulation": {**YEARS, "replicates": 5}}),
    "scenarios": (
        500,
        11,
        {
            "simulation": YEARS,
            "scenarios": {
                "baseline": {},
                "exact": {"workforce": {"alignment": "exact"}},
                "shrink": {"workforce": {"target_growth_rate": -0.2}},
                "rich": {"compensation": {"cola_rate": {2025: 0.01, 2026: 0.05}}},
            },
        },
    ),
    "plan": (
        400,
        13,
        {
            "simulation": YEARS,
            "plan": {"eligibility": {"entry_dates": "monthly"}, "core": {"rate": 0.04}},
            "scenarios": {
                "early": {},
                "late": {
                    "plan": {
                        "core": {"rate": {2025: 0, 2026: 0.25}},
                        "limits": {"price_index_rate": 0.2},
                    }
                },
                "automatic": {
                    "plan": {
                        "automatic_enrollment": {"enabled": True, "scope": "new_hires"},
                        "escalation": {"enabled": True, "scope": "all", "date": "07-01"},
                        "match": {"formula": "tiers", "by": "points"},
                        "vesting": {"match": [0, 0, 1]},
                        "forfeitures": {"use": "pay_expenses"},
                        "limits": {"amounts": {"elective_deferral": {2025: 5000, 2026: 5000}}},
                    }
                },
                "integrated": {
                    "plan": {
                        "pay_frequency": "monthly",
                        "core": {"excess_rate": 0.07, "integration_level": 0.5},
                        "vesting": {"core": [0, 0.2, 0.4, 0.6, 0.8, 1]},
                        "forfeitures": {"use": "reallocate"},
                        "highly_compensated": {"top_paid_group": True},
                    }
                },
            },
        },
    ),
    "leap": (300, 3, {"simulation": {**YEARS, "start_year": 2028, "end_year": 2029}}),
    "long": (50, 5, {"simulation": {**YEARS, "end_year": 2044}}),
}


def marts_of(name: str, folder: Path) -> dict[str, str]:
    employees, seed, config = STUDIES[name]
    census = folder / "census.parquet"
    generate_census(employees, seed, census)
    done = run_study(Request(parse({"census": str(census), **config}, folder), folder / "run"))
    with open_run(done.path) as run:
        found = fingerprint(run)
    # Settings are described in dim_scenarios, which a new key may change.
    return {mart: digest for mart, digest in found.items() if mart.startswith("fct_")}


@pytest.mark.parametrize("name", STUDIES)
def test_a_stored_study_has_its_golden_fingerprints(name, tmp_path):
    assert marts_of(name, tmp_path) == json.loads(GOLDEN.read_text())[name]
