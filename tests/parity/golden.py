"""The studies whose fingerprints are stored in golden.json.

`python tests/parity/golden.py` writes the file anew, and names each mart and column that
changed: the commit says why. What it names columns by is in golden_columns.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from planalign.census import generate_census
from planalign.config import load
from planalign.results import open_run
from planalign.results.columns import listed, row_digest
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planalign.results import Run

# Digests of columns, or of marts, by their names.
Digests = dict[str, str]

STORED = Path(__file__).with_name("golden.json")
GOLDEN: dict[str, Digests] = json.loads(STORED.read_text(encoding="utf-8"))
COLUMNS = STORED.with_name("golden_columns.json")
YEARS = {"start_year": 2025, "end_year": 2027, "random_seed": 42}
EVERY_PART: dict[str, Any] = {
    "pay_frequency": "semimonthly",
    "eligibility": {"hours_of_service": 1000, "excluded_departments": ["Marketing"]},
    "automatic_enrollment": {"enabled": True, "reenrollment": {2025: False, 2026: True}},
    "escalation": {"enabled": True, "scope": "all", "date": "04-01"},
    "deferrals": {"highly_compensated_maximum_rate": 0.09},
    "match": {
        "formula": "tiers",
        "by": "service",
        "tiers": [
            {"up_to": 0.03, "rate": 1},
            {"up_to": 0.06, "rate": 0.5},
            {"from": 3, "up_to": 0.08, "rate": 0.75},
        ],
        "maximum_amount": 9000,
    },
    "core": {
        "by": "points",
        "tiers": [{"from": 0, "rate": 0.01}, {"from": 45, "rate": 0.03}],
        "last_day": True,
    },
    "vesting": {"match": [0, 0.2, 0.4, 0.6, 0.8, 1], "core": [0, 0, 0, 1]},
    "forfeitures": {"use": "reallocate"},
    "highly_compensated": {"top_paid_group": True},
    "limits": {"amounts": {"elective_deferral": {2025: 6000, 2026: 6500}}},
}
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
    # For what takes longest; every part of the plan at work.
    "smallest": (
        200,
        7,
        {"simulation": YEARS, "plan": EVERY_PART},
    ),
    "leap": (300, 3, {"simulation": {**YEARS, "start_year": 2028, "end_year": 2029}}),
    "long": (50, 5, {"simulation": {**YEARS, "end_year": 2044}}),
}


def project(name: str, folder: Path) -> Path:
    """Make a project folder of a stored study."""
    employees, seed, config = STUDIES[name]
    folder.mkdir(parents=True, exist_ok=True)
    generate_census(employees, seed, folder / "census.parquet")
    text = yaml.safe_dump({"census": "census.parquet", **config}, sort_keys=False)
    (folder / "planalign.yaml").write_text(text, encoding="utf-8")
    return folder


def marts(found: Mapping[str, str]) -> dict[str, str]:
    """Return the fingerprints that are stored.

    Settings are described in dim_scenarios, which a new key may change.
    """
    return {mart: digest for mart, digest in found.items() if mart.startswith("fct_")}


def marts_of(run: Path) -> dict[str, str]:
    """Return the fingerprints of a run's facts."""
    with open_run(run) as opened:
        return marts(fingerprint(opened))


def columns_of(run: Run, mart: str) -> Digests:
    """Return a short digest of each column of a mart: of its type, and its value in each row."""
    columns, key = run.columns(mart), set(run.key(mart))
    keys = [column for column in columns if column.name in key]
    digests = ", ".join(
        f"sum({row_digest([*keys, column])} & 4294967295) as {listed([column.name])}"
        for column in columns
    )
    [sums] = run.relation(mart).aggregate(digests).fetchall()
    return {
        column.name: f"{column.type} {int(value or 0) % 2**32:08x}"
        for column, value in zip(columns, sums, strict=True)
    }


def changes(study: str, mart: str, stored: Digests, found: Digests) -> Iterator[str]:
    """Name the columns of a mart that are new, gone or another."""
    if not stored or not found:
        yield f"{study}: {mart} is {'new' if found else 'gone'}"
        return
    named = False
    for column in {**stored, **found}:
        before, after = stored.get(column), found.get(column)
        if before != after:
            named = True
            how = "is new" if before is None else "is gone" if after is None else "changed"
            yield f"{study}: {mart}.{column} {how}"
    if not named:
        yield f"{study}: {mart} has other rows, or its columns in another order"


def main() -> None:
    """Compute every study, and store its fingerprints."""
    before = json.loads(COLUMNS.read_text(encoding="utf-8")) if COLUMNS.exists() else {}
    found: dict[str, Digests] = {}
    columns: dict[str, dict[str, Digests]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in STUDIES:
            place = project(name, Path(folder) / name)
            done = run_study(Request(load(place / "planalign.yaml"), place / "run"))
            with open_run(done.path) as run:
                found[name] = marts(fingerprint(run))
                columns[name] = {mart: columns_of(run, mart) for mart in found[name]}
    for name, digests in found.items():
        stored = GOLDEN.get(name, {})
        for mart in sorted(digests.keys() | stored.keys()):
            if digests.get(mart) != stored.get(mart):
                known, new = (one.get(name, {}).get(mart, {}) for one in (before, columns))
                sys.stdout.writelines(f"{line}\n" for line in changes(name, mart, known, new))
    STORED.write_text(f"{json.dumps(found, indent=2)}\n", encoding="utf-8")
    COLUMNS.write_text(f"{json.dumps(columns, indent=1)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
