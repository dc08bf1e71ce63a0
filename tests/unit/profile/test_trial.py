"""Suggestions, their order of measurement, what counts as a gain, and the scratch copy."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made import model, node, record

from planalign.cli.advise import _text
from planalign.config import parse
from planalign.engine.project import Project
from planalign.errors import InterruptedRunError, ModelError, UsageError
from planalign.marts.packaged import PACKAGED
from planalign.profile import trial
from planalign.profile.advice import Advice
from planalign.profile.findings import Finding
from planalign.profile.judgement import is_decided, judge, sign_test
from planalign.profile.suggestions import (
    SUGGESTION,
    BlockSize,
    Index,
    Materialize,
    MemoryLimit,
    ModelsAtOnce,
    Proposal,
    Sort,
    Threads,
    refusal,
    suggest,
)
from planalign.profile.trial import Outcome, Trial, alternating, changed, in_rank
from planalign.study import Completed, Request

# The builder of run folders lives with the tests of results.
sys.path.insert(0, str(Path(__file__).parents[1] / "results"))

from run_folder import build_run

GB = 1_000_000_000
EVENTS = "models/events"


def made(**more):
    view = replace(node("int_view", "int_wide"), materialization="view")
    fact = replace(node("fct_all", "int_view", "int_sorted"), materialization="yearly")
    nodes = (node("int_wide"), view, node("int_sorted", "int_view"), fact)
    return record(10, *nodes, models=(model("int_wide", 0, 1, rows=1000),), cores=2,
                  memory_limit_bytes=GB, **more)  # fmt: skip


def finding(kind, name=None, **evidence):
    return Finding(kind, kind, name, 2025, tuple(evidence.items()), "", "", None, "low")


def suggested(*findings, memory=8 * GB, **more):
    return [one.suggestion for one in suggest(findings, made(**more), memory)]


def test_a_view_that_is_read_often_is_to_be_a_table():
    assert suggested(finding("view_read_often", "int_view")) == [
        Materialize(model="int_view", materialization="table")
    ]


@pytest.mark.parametrize(
    "condition",
    ["(key < 1000); (part = 'key <')", "key<1000", "key IN (1, 2)", "(key IS NOT NULL)"],
)
def test_a_scan_that_leaves_nothing_out_calls_for_an_order(condition):
    evidence = {"table": "int_sorted", "filter": condition}
    assert suggested(finding("unpruned_scan", "fct_all", **evidence)) == [
        Sort(model="int_sorted", columns=("key",)),
        Index(model="int_sorted", columns=("key",)),
    ]


def test_nothing_is_sorted_that_is_no_table_of_the_run():
    for table in ("fct_all", "int_view", "census"):
        assert suggested(finding("unpruned_scan", "x", table=table, filter="key < 1")) == []


def test_spilling_calls_for_memory_and_for_less_at_once():
    assert suggested(finding("spill", "int_wide")) == [
        MemoryLimit(megabytes=4000),
        ModelsAtOnce(step="events", models=1),
        Materialize(model="int_wide", materialization="view"),
    ]
    several = suggested(finding("spill", "int_wide"), trajectories=4)
    assert BlockSize(employees=500) in several
    assert MemoryLimit(megabytes=1600) in suggested(finding("spill", "int_wide"), memory=2 * GB)


def test_too_many_threads_call_for_fewer():
    assert suggested(finding("over_parallel"), threads=8) == [Threads(threads=2)]


def test_what_a_slow_model_reads_as_a_view_is_to_be_tried_as_a_table():
    assert suggested(finding("slow_model", "int_sorted")) == [
        Materialize(model="int_view", materialization="table"),
        Materialize(model="int_sorted", materialization="view"),
    ]


def test_the_same_change_is_suggested_once():
    assert (
        len(suggested(finding("view_read_often", "int_view"), finding("slow_model", "fct_all")))
        == 1
    )


@pytest.mark.parametrize(
    "suggestion",
    [
        Index(model="int_view", columns=("key",)),
        Index(model="fct_all", columns=("key",)),
        MemoryLimit(megabytes=7000),
        Materialize(model="int_absent", materialization="table"),
        Materialize(model="fct_all", materialization="view"),
        Materialize(model="int_view", materialization="view"),
        Sort(model="int_view", columns=("key",)),
    ],
)
def test_what_cannot_be_tried_is_refused_with_a_reason(suggestion):
    assert refusal(suggestion, made(), 8 * GB)


@pytest.mark.parametrize(
    "text",
    [
        {"kind": "sort", "model": "int_wide", "columns": ["key; drop table x"]},
        {"kind": "sort", "model": "../../x", "columns": ["key"]},
        {"kind": "sort", "model": "int_wide", "columns": []},
        {"kind": "materialize", "model": "int_wide", "materialization": "yearly"},
        {"kind": "threads", "threads": 0},
        {"kind": "threads", "threads": 2, "sql": "select 1"},
        {"kind": "rewrite", "sql": "select 1"},
    ],
)
def test_only_plain_changes_of_known_kinds_are_read(text):
    with pytest.raises(ValueError, match="validation error"):
        SUGGESTION.validate_python(text)


def test_six_faster_pairs_of_six_help():
    judgement = judge([(2.0, 1.0)] * 6)
    assert judgement.helps
    assert (judgement.ratio, judgement.faster, judgement.p_value) == (0.5, 6, 1 / 64)


def test_five_of_six_are_noise_and_so_is_a_gain_of_a_percent():
    assert not judge([(2.0, 1.0)] * 5 + [(1.0, 2.0)]).helps
    assert not judge([(2.0, 1.98)] * 6).helps


def test_ten_of_twelve_help_and_nine_do_not():
    assert judge([(2.0, 1.0)] * 10 + [(1.0, 2.0)] * 2).helps
    assert not judge([(2.0, 1.0)] * 9 + [(1.0, 2.0)] * 3).helps


def test_the_ratio_is_that_of_pairs_so_that_a_busy_machine_does_not_count():
    judgement = judge([(1.0, 0.5), (10.0, 5.0), (2.0, 1.0)] * 2)
    assert judgement.ratio == 0.5
    assert judgement.helps


def test_seconds_and_ratio_are_of_one_pair():
    pairs = [(2.0, 1.5), (2.5, 2.13), (3.0, 2.7), (2.4, 1.2), (9.0, 8.0), (2.6, 2.2)]
    judgement = judge(pairs)
    assert (judgement.seconds_without, judgement.seconds_with) == (2.5, 2.13)
    assert judgement.ratio == judgement.seconds_with / judgement.seconds_without
    assert judge(pairs[:1]).ratio == 0.75


def test_a_trial_says_by_how_much_on_one_basis():
    pairs = [(2.0, 1.5), (2.5, 2.13), (3.0, 2.7), (2.4, 1.2), (9.0, 8.0), (2.6, 2.2)]
    outcome = Outcome(Proposal(Threads(threads=1), ""), "helps", "", judge(pairs))
    advice = Advice(
        Path("run"), has_plans=True, findings=(), trial=Trial((2025, 2026), 6, (outcome,))
    )
    assert (
        "saves 15% (2.500 s to 2.130 s in the middle pair, faster in 6 of 6), with the same bits"
    ) in "\n".join(_text(advice))


def test_nothing_found_is_said():
    said = _text(Advice(Path("run"), has_plans=True, findings=()))
    assert list(said) == ["Nothing was found that is worth a change."]


def test_the_sign_test_is_exact():
    assert sign_test(0, 4) == 1.0
    assert sign_test(3, 4) == 5 / 16
    assert sign_test(4, 4) == 1 / 16


FASTER, SLOWER = (2.0, 1.0), (1.0, 2.0)


@pytest.mark.parametrize(
    ("pairs", "decided"),
    [
        ([], False),
        ([FASTER] * 5, False),
        ([FASTER] * 6, True),
        ([SLOWER] * 2, False),
        ([SLOWER] * 3, True),
        ([FASTER] * 5 + [SLOWER], False),
        ([FASTER] * 10 + [SLOWER], False),
        ([FASTER] * 10 + [SLOWER] * 2, True),
        ([(2.0, 1.99)] * 6, False),
        ([(2.0, 1.99)] * 12, True),
    ],
)
def test_measuring_goes_on_until_it_is_decided(pairs, decided):
    assert is_decided(pairs, 6) is decided


def test_runs_alternate_so_that_a_drift_meets_both():
    seen = []

    def measure(request):
        seen.append(request)
        return {"a": 2.0, "b": 1.0}[request]

    assert alternating(measure, "a", "b", 6) == [(2.0, 1.0)] * 6
    assert "".join(seen) == "abbaabbaabba"


def test_measuring_ends_when_nothing_can_be_gained():
    assert len(alternating(lambda request: {"a": 1.0, "b": 2.0}[request], "a", "b", 6)) == 3


def test_what_helps_most_comes_first():
    def outcome(verdict, ratio):
        proposal = Proposal(Threads(threads=1), str(ratio))
        return Outcome(proposal, verdict, "", judge([(1.0, ratio)] * 6))

    outcomes = [outcome("no_gain", 0.9), outcome("helps", 0.8), outcome("helps", 0.5)]
    assert [one.proposal.reason for one in in_rank(outcomes)] == ["0.5", "0.8", "0.9"]


@pytest.fixture
def request_as_it_is(tmp_path):
    return Request(parse({"census": "census.parquet"}, tmp_path))


def test_a_model_is_changed_on_a_copy(request_as_it_is, tmp_path):
    before = {file: file.read_bytes() for file in PACKAGED.rglob("*.sql")}
    path = f"{EVENTS}/int_promotion_events.sql"
    table = Materialize(model="int_promotion_events", materialization="table")
    request = changed(request_as_it_is, table, tmp_path / "copy")
    assert request.config.dbt_project == tmp_path / "copy"
    text = (tmp_path / "copy" / path).read_text()
    assert text.rstrip().endswith("{{ config(materialized='table') }}")
    assert {file: file.read_bytes() for file in PACKAGED.rglob("*.sql")} == before


def test_an_order_is_put_around_the_model(request_as_it_is, tmp_path):
    path = f"{EVENTS}/int_hiring_events.sql"
    order = Sort(model="int_hiring_events", columns=("trajectory_id", "employee_key"))
    changed(request_as_it_is, order, tmp_path / "copy")
    text = (tmp_path / "copy" / path).read_text()
    assert text.startswith("select * from (\n")
    assert text.rstrip().endswith("order by trajectory_id, employee_key")


def test_an_index_is_put_into_the_configuration_of_the_model(request_as_it_is, tmp_path):
    path = f"{EVENTS}/int_hiring_events.sql"
    index = Index(model="int_hiring_events", columns=("trajectory_id", "employee_key"))
    changed(request_as_it_is, index, tmp_path / "copy")
    last = (tmp_path / "copy" / path).read_text().splitlines()[-1]
    assert last == "{{ config(indexes=[{'columns': ['trajectory_id', 'employee_key']}]) }}"


def test_indexes_that_a_model_has_are_kept_and_none_is_made_twice(
    request_as_it_is, tmp_path, monkeypatch
):
    path = f"{EVENTS}/int_hiring_events.sql"
    real = trial.pipeline_for(Project.at(None))
    models = tuple(
        replace(one, indexes=(("job_level",),)) if one.name == "int_hiring_events" else one
        for one in real.models
    )
    monkeypatch.setattr(trial, "pipeline_for", lambda _: replace(real, models=models))
    index = Index(model="int_hiring_events", columns=("employee_key",))
    changed(request_as_it_is, index, tmp_path / "copy")
    last = (tmp_path / "copy" / path).read_text().splitlines()[-1]
    assert last == (
        "{{ config(indexes=[{'columns': ['job_level']}, {'columns': ['employee_key']}]) }}"
    )
    again = Index(model="int_hiring_events", columns=("job_level",))
    with pytest.raises(UsageError, match="already"):
        changed(request_as_it_is, again, tmp_path / "other")


def test_a_model_that_is_gone_is_no_model_of_the_copy(request_as_it_is, tmp_path):
    table = Materialize(model="int_gone", materialization="table")
    with pytest.raises(UsageError, match="has no int_gone any more"):
        changed(request_as_it_is, table, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_read_only_project_can_be_copied(tmp_path):
    project = shutil.copytree(PACKAGED, tmp_path / "project")
    for one in (project, *project.rglob("*")):
        one.chmod(0o555 if one.is_dir() else 0o444)
    request = Request(parse({"dbt_project": str(project)}, tmp_path))
    path = f"{EVENTS}/int_hiring_events.sql"
    order = Sort(model="int_hiring_events", columns=("employee_key",))
    changed(request, order, tmp_path / "copy")
    assert (tmp_path / "copy" / path).stat().st_mode & 0o200
    for one in (project, *project.rglob("*")):
        one.chmod(0o755)


@pytest.mark.parametrize(
    ("suggestion", "key", "value"),
    [
        (Threads(threads=3), "threads", 3),
        (MemoryLimit(megabytes=512), "memory_limit", "512MB"),
        (ModelsAtOnce(step="events", models=1), "models_at_once", {"events": 1}),
        (BlockSize(employees=7), "employees_per_block", 7),
    ],
)
def test_resources_are_changed_in_the_configuration_alone(
    request_as_it_is, tmp_path, suggestion, key, value
):
    request = changed(request_as_it_is, suggestion, tmp_path / "copy")
    assert getattr(request.config.resources, key) == value
    assert request.config.dbt_project is None
    assert not (tmp_path / "copy").exists()
    assert request_as_it_is.config.resources.threads == "auto"


class Simulated:
    """Simulates nothing: a run of each kind is there, made by hand, and has its seconds."""

    def __init__(self, as_it_is, other):
        self.runs = {"auto": (as_it_is, 2.0), 1: (other, 1.0)}
        self.failing = None

    def __call__(self, request):
        employees = request.config.resources.employees_per_block
        folder, seconds = self.runs[employees]
        if employees != "auto" and self.failing is not None:
            raise self.failing
        return Completed(shutil.copytree(folder, request.output), (), seconds)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    change = (
        "update fct_workforce_snapshot set job_level = job_level + 1 "
        "where employee_id = 'EMP_000003'"
    )
    return build_run(folder / "a"), build_run(folder / "b", change=change)


@pytest.fixture
def tried_on(monkeypatch, built):
    """The outcome of a change that halves the seconds."""

    def outcome(other, failing=None):
        simulated = Simulated(built[0], built[other])
        simulated.failing = failing
        monkeypatch.setattr(trial, "run_study", simulated)
        monkeypatch.setattr(trial, "_changes_since", lambda run, request: ("models",))
        proposal = Proposal(BlockSize(employees=1), "why")
        return trial.try_out(built[0], made(), [proposal], 8 * GB, years=1)

    return outcome


def test_a_faster_change_with_the_same_bits_helps(tried_on):
    found = tried_on(0)
    [outcome] = found.outcomes
    assert (outcome.verdict, found.years, found.changes) == ("helps", (2025, 2025), ("models",))
    assert outcome.judgement == judge([(2.0, 1.0)] * 6)


def test_a_faster_change_with_other_bits_is_never_advised(tried_on):
    [outcome] = tried_on(1).outcomes
    assert (outcome.verdict, outcome.judgement) == ("differs", None)
    assert "fct_workforce_snapshot" in outcome.detail


def test_a_change_that_fails_is_told_and_ends_nothing(tried_on):
    [outcome] = tried_on(0, failing=ModelError("model int_a failed", "Mend it.")).outcomes
    assert (outcome.verdict, outcome.detail) == ("failed", "model int_a failed. Mend it.")


def test_a_user_who_stops_ends_it_all(tried_on):
    with pytest.raises(InterruptedRunError, match="nothing was changed"):
        tried_on(0, failing=InterruptedRunError("stopped", "--resume"))


def test_where_nothing_can_be_tried_nothing_is_simulated(monkeypatch, built):
    monkeypatch.setattr(trial, "_changes_since", lambda run, request: ())
    monkeypatch.setattr(trial, "run_study", None)
    index = Proposal(Index(model="int_absent", columns=("key",)), "why")
    [outcome] = trial.try_out(built[0], made(), [index], 8 * GB).outcomes
    assert outcome.verdict == "not_tried"
    assert trial.try_out(built[0], made(), [], 8 * GB).outcomes == ()
