"""Runs of another format, and runs that lack something, are told in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from run_folder import PROVENANCE, build_run, change_run
from typer.testing import CliRunner

from planalign.charts import read_results
from planalign.cli.app import app
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.report.build import report_of
from planalign.results import open_run
from planalign.results.compare import side_by_side
from planalign.results.employee import timeline
from planalign.results.export import export
from planalign.results.verify import verify
from planalign.run_format import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planalign.results import Run

EARLIER = {"versions": {"planalign": "0.0.9"}}
LACKS_TWO = "; ".join(
    f"alter table fct_financial_summary drop {column}" for column in ("hires", "payroll")
)


def made(folder: Path, provenance: dict[str, Any], change: str = "") -> Path:
    build_run(folder, employees=2, replicates=1, change=change)
    (folder / "provenance.json").write_text(json.dumps(provenance))
    return folder


def test_what_an_earlier_run_lacks_is_said(tmp_path: Path) -> None:
    run = made(tmp_path / "run", EARLIER, LACKS_TWO)
    for command in (["show", run], ["compare", run], ["show", run, "--json"]):
        shown = CliRunner().invoke(app, [str(word) for word in command])
        assert shown.exit_code == 2
        [line] = shown.stderr.replace("\n", " ").strip().splitlines()
        assert f"{run} lacks the columns hires, payroll of fct_financial_summary: " in line
        assert "it has format 0 of planalign 0.0.9, and planalign " in line
        assert f"writes format {FORMAT}. Simulate the study again" in line


def test_an_earlier_run_that_lacks_nothing_is_read(tmp_path: Path) -> None:
    with open_run(made(tmp_path / "run", EARLIER)) as run:
        assert len(run.summary()) == 4


def test_a_run_from_before_marts_declared_themselves_has_keys_order_and_sheets(
    tmp_path: Path,
) -> None:
    new = made(tmp_path / "new", {"format": FORMAT})
    none = "drop table run_marts; drop table dim_run; "
    lacks = "alter table fct_yearly_events drop event_type; drop table fct_plan_costs"
    with (
        open_run(new) as run,
        open_run(made(tmp_path / "old", EARLIER, none)) as old,
        open_run(made(tmp_path / "older", {}, none + lacks)) as older,
    ):
        assert old.marts == run.compared
        assert [old.key(mart) for mart in old.marts] == [run.key(mart) for mart in old.marts]
        assert old.sheets == run.sheets
        assert verify(run, old).identical
        assert older.key("fct_yearly_events") == ()
        assert "Plan costs" in run.sheets.keys() - older.sheets.keys()
        # In the order of what is left of the declared one.
        ordered = older.ordered("fct_yearly_events").fetchall()
        assert ordered == sorted(ordered, key=lambda row: (*row[:3], row[4]))
        for fmt in ("csv", "parquet", "xlsx"):
            export(older, fmt, tmp_path / fmt)


def test_a_run_of_this_format_that_lacks_a_column_was_changed(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", {"format": FORMAT}, LACKS_TWO)
    with open_run(folder) as run:
        with pytest.raises(UsageError, match="its models were changed, or its database is dam"):
            run.summary()
        # What needs them not is told as before.
        assert run.relation("fct_yearly_events").limit(1).fetchall()


@pytest.mark.parametrize("provenance", [{"format": FORMAT + 1}, {"format": 99, **EARLIER}])
def test_a_run_of_a_later_planalign_is_refused(tmp_path: Path, provenance: dict[str, Any]) -> None:
    run = made(tmp_path / "run", provenance)
    with pytest.raises(EnvironmentFaultError, match=f"has format {provenance['format']}"):
        open_run(run)
    for command in ("show", "compare", "fingerprint"):
        shown = CliRunner().invoke(app, [command, str(run)])
        assert shown.exit_code == 4
        assert f"reads formats up to {FORMAT}" in " ".join(shown.stderr.split())


@pytest.mark.parametrize("damaged", [True, -1, 1.5, "1", None, [], {}])
def test_a_format_that_is_no_number_is_a_damaged_run(tmp_path: Path, damaged: object) -> None:
    with pytest.raises(EnvironmentFaultError, match="is damaged: its format is no number"):
        open_run(made(tmp_path / "run", {"format": damaged}))


@pytest.mark.parametrize("version", ["\x1b[31m1", 7, ["1"], "x" * 99])
def test_what_is_no_version_is_not_repeated(tmp_path: Path, version: object) -> None:
    with pytest.raises(EnvironmentFaultError, match="has format 99, and planalign"):
        open_run(made(tmp_path / "run", {"format": 99, "versions": {"planalign": version}}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop table fct_financial_summary", "lacks fct_financial_summary: "),
        ("alter table dim_scenarios drop random_seed", "the column random_seed of dim_scenarios"),
        (
            "alter table fct_workforce_snapshot drop prorated_annual_compensation",
            "the column prorated_annual_compensation of fct_workforce_snapshot",
        ),
        ("alter table fct_plan_costs drop replicate", "the column replicate of fct_plan_costs"),
    ],
)
def test_what_a_comparison_cannot_do_without_is_said(
    tmp_path: Path, change: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        side_by_side([made(tmp_path / "run", PROVENANCE, change)])


def employee(run: Run) -> object:
    return timeline(run, "EMP_000001")


@pytest.mark.parametrize(
    ("read", "change", "said"),
    [
        (
            read_results,
            "alter table fct_plan_costs drop participation_rate",
            "participation_rate of fct_plan_costs",
        ),
        (
            read_results,
            "alter table int_yearly_event_summary drop event_count",
            "event_count of int_yearly_event_summary",
        ),
        (
            employee,
            "alter table fct_workforce_snapshot drop employee_id",
            "column employee_id of fct_workforce_snapshot",
        ),
        (employee, "drop table fct_yearly_events", "lacks fct_yearly_events"),
    ],
)
def test_every_reader_says_what_it_needs(
    tmp_path: Path, read: Callable[[Run], object], change: str, said: str
) -> None:
    with (
        open_run(made(tmp_path / "run", EARLIER, change)) as run,
        pytest.raises(UsageError, match=f"{said}: it has format 0 of planalign 0.0.9"),
    ):
        read(run)


def test_a_comparison_says_what_one_side_lacks_and_leaves_it_out_on_both(tmp_path: Path) -> None:
    match = "; ".join(
        f"update {mart} set match_contribution = 7"
        for mart in ("fct_workforce_snapshot", "fct_plan_costs")
    )
    without = match.replace("update", "alter table").replace("set", "drop").replace("= 7", "")
    new = made(tmp_path / "new", {"format": FORMAT}, match)
    old = made(tmp_path / "old", EARLIER, without)
    found = side_by_side([new, old], "new/baseline")
    lacking = [text for text in found.warnings if " lacks " in text]
    assert len(lacking) == 2
    assert lacking[0].startswith("old/baseline lacks what new/baseline has: match_contribution, ")
    gains = {one.scenario: (one.better_off, one.worse_off) for one in found.employees}
    assert gains["old/baseline"] == (0, 0)
    same = made(tmp_path / "same", {"format": FORMAT}, match)
    assert not [text for text in side_by_side([new, same]).warnings if " lacks " in text]


def test_a_report_tells_the_run_and_what_its_results_lack(studies: Any) -> None:
    run = studies.simulate(studies.generated(20), simulation={"end_year": 2025})
    run.close()
    change_run(run.path, "alter table fct_financial_summary drop hires")
    page = report_of(run.path)
    assert "lacks the column hires of fct_financial_summary: its models were changed" in page
