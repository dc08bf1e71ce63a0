"""Analysis of records made by hand, and of random ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import check, command, model, node, record, sample, work, year

from planalign.profile.analysis import analyse
from planalign.profile.memory import BUDGET_BYTES
from planalign.profile.path import ROUNDING, seconds_on
from planalign.record.record import Session


def path_of(made):
    return [span.name for span in analyse(made).critical_path]


def test_path_goes_back_from_the_last_end_by_the_nearest_one():
    made = record(
        10,
        models=(
            model("int_a", 0, 3),
            model("int_b", 0, 2, "model_1"),
            model("int_c", 3, 6),
            model("int_d", 2, 5, "model_1"),
            model("fct_e", 6.5, 9),
        ),
    )
    assert path_of(made) == ["int_a", "int_c", "fct_e"]
    assert analyse(made).critical_path_seconds == 3 + 3 + 2.5


def test_path_prefers_what_a_model_reads_among_those_that_ended_together():
    models = (
        model("int_a", 0, 2),
        model("int_b", 1, 2.0005, "model_1"),
        model("fct_c", 2.001, 4),
    )
    assert path_of(record(4, node("fct_c", "int_a"), models=models)) == ["int_a", "fct_c"]
    assert path_of(record(4, node("fct_c"), models=models)) == ["int_b", "fct_c"]


def test_path_does_not_prefer_what_a_model_reads_of_another_year_or_long_ago():
    other_year = (
        model("int_a", 0, 2, year=2024),
        model("int_b", 1, 2.0005, "model_1"),
        model("fct_c", 2.001, 4),
    )
    assert path_of(record(4, node("fct_c", "int_a"), models=other_year)) == ["int_b", "fct_c"]
    long_ago = (model("int_a", 0, 1), model("int_b", 1, 2), model("fct_c", 2, 4))
    assert path_of(record(4, node("fct_c", "int_a"), models=long_ago)) == [
        "int_a", "int_b", "fct_c",
    ]  # fmt: skip


def test_path_goes_over_tests_and_other_work():
    made = record(
        9,
        models=(model("int_a", 1, 3),),
        tests=(check("is_unique", 3, 5),),
        work=(work("reading the census", 0, 1), work("closing the database", 6, 8)),
    )
    assert path_of(made) == ["reading the census", "int_a", "is_unique", "closing the database"]


def test_path_shows_what_a_dbt_command_takes_beside_its_nodes():
    made = record(
        10,
        runner="batch",
        models=(model("int_a", 3, 5, "dbt_0"), model("int_b", 4, 6, "dbt_1")),
        dbt_commands=(command("dbt run", 1, 8, dbt_compile_seconds=0.5, dbt_execute_seconds=3.5),),
    )
    found = analyse(made)
    assert [(s.name, s.start, s.end) for s in found.critical_path] == [
        ("dbt run", 1, 3),
        ("int_b", 4, 6),
        ("dbt run", 6, 8),
    ]
    assert found.dbt_seconds == {"compile": 0.5, "execute": 3.5, "overhead": 4}
    assert found.seconds_by_step == {"events": 3, "other work": 4}


def test_overhead_of_legacy_is_what_each_command_took_beside_its_nodes():
    made = record(
        10,
        runner="legacy",
        models=(model("int_a", 0, 5, "process"), model("int_b", 5, 10, "process")),
        dbt_commands=(
            command("dbt run", 0, 5, dbt_compile_seconds=0.5, dbt_execute_seconds=1.5),
            command("dbt run", 5, 10, dbt_compile_seconds=1, dbt_execute_seconds=1),
        ),
    )
    assert analyse(made).dbt_seconds == {"compile": 1.5, "execute": 2.5, "overhead": 6}


def test_concurrency_counts_what_is_under_way_while_anything_is():
    made = record(
        10,
        models=(model("int_a", 0, 4), model("int_b", 2, 4, "model_1")),
        tests=(check("is_unique", 6, 8),),
        work=(work("reading the census", 4, 5),),
    )
    found = analyse(made)
    assert found.busy_seconds == 6
    assert found.concurrency == (4 + 2 + 2) / 6
    assert found.overhead_seconds == 4
    assert [(g.start, g.end, g.after, g.before) for g in found.gaps] == [
        (5, 6, "reading the census", "is_unique"),
        (8, 10, "is_unique", None),
    ]


def test_statistics_of_a_model_over_years():
    seconds = {2025: 1.0, 2026: 2.0, 2027: 3.0, 2028: 4.0}
    runs = tuple(
        model(
            "int_a", at, at + took, year=when, rows=100, is_prepared=True, cpu_seconds=took / 2,
            memory_before=10, memory_peak=50 + n, memory_after=20 + n, spilled_bytes=n,
        )
        for n, (at, (when, took)) in enumerate(zip((0, 10, 20, 30), seconds.items(), strict=True))
    )  # fmt: skip
    found = analyse(record(40, models=(*runs, model("int_b", 5, 10)))).models
    assert [one.name for one in found] == ["int_a", "int_b"]
    one = found[0]
    assert (one.count, one.total, one.median, one.longest) == (4, 10, 2.5, 4)
    assert one.p95 == pytest.approx(3.85)  # between the third and the fourth
    assert one.share == pytest.approx(10 / 15)
    assert one.growth_by_year == pytest.approx(1 / 2.5)
    assert one.seconds_per_million_rows == pytest.approx(10 / 400 * 1_000_000)
    assert (one.rows, one.cpu_seconds, one.memory_peak) == (400, 5, 53)
    assert (one.memory_growth, one.spilled_bytes) == (13, 3)


def test_growth_leaves_out_the_year_in_which_statements_were_parsed():
    def runs(years):
        return tuple(
            model("int_a", n, n + (0.9 if n == 0 else 0.5), year=n, is_prepared=n > 0)
            for n in range(years)
        )

    assert analyse(record(9, models=runs(4))).models[0].growth_by_year == pytest.approx(0)
    assert analyse(record(9, models=runs(3))).models[0].growth_by_year < 0
    assert analyse(record(9, models=runs(2))).models[0].growth_by_year is None


def test_what_the_record_does_not_tell_is_none():
    found = analyse(record(2, models=(model("int_a", 0, 1),)))
    one = found.models[0]
    assert (one.rows, one.cpu_seconds, one.memory_peak, one.memory_growth) == (None,) * 4
    assert (one.seconds_per_million_rows, one.growth_by_year, one.spilled_bytes) == (None,) * 3
    assert (found.cpu_seconds, found.cores_busy, found.memory.peak_bytes) == (None,) * 3
    assert found.memory.is_within_budget is None


def test_steps_may_overlap_and_are_in_their_order():
    made = record(
        10,
        models=(
            model("int_a", 0, 4),
            model("int_b", 2, 5, "model_1"),
            model("fct_c", 4, 6, step="snapshot"),
            model("stg_d", 7, 8, step="setup", year=None),
        ),
    )
    found = analyse(made).seconds_by_step
    assert list(found.items()) == [("setup", 1), ("events", 5), ("snapshot", 2)]


def test_a_year_lasts_until_the_next_one_starts_over_blocks_and_sessions():
    made = record(
        0,
        sessions=(
            Session(0, 10, 100.0, "interrupted"),
            Session(10, 30, 500.0, "completed", is_resumed=True),
        ),
        years=(
            year(2025, 1, 6),
            year(2026, 4, None),  # stopped
            year(2026, 12, 18),
            year(2025, 20, 24, block=2),
            year(2026, 23, 28, block=2),
        ),
    )
    assert analyse(made).seconds_by_year == {
        2025: (4 - 1) + (23 - 20),
        2026: (10 - 4) + (20 - 12) + (28 - 23),
    }


def test_cache_hits_are_weighted_by_trajectories():
    made = record(
        9,
        years=(
            year(2025, 0, 1, trajectories=30, is_from_cache=True),
            year(2025, 1, 2, trajectories=10, block=2),
            year(2026, 2, None, trajectories=10, block=2),
        ),
    )
    assert analyse(made).cache_hit_rate == 0.75


def test_cpu_is_counted_within_each_session():
    made = record(
        8,
        samples=(
            sample(1, cpu=2.0),
            sample(3, cpu=5.0),
            sample(5, cpu=1.0, session=1),
            sample(7, cpu=2.0, session=1),
        ),
    )
    found = analyse(made)
    assert (found.cpu_seconds, found.cores_busy) == (4.0, 0.5)


def test_memory_peak_and_who_was_under_way():
    made = record(
        9,
        models=(
            model("int_a", 0, 3, memory_before=100, memory_peak=700, memory_after=300),
            model("int_b", 2, 6, "model_1", memory_before=700, memory_peak=700, memory_after=200),
            model("fct_c", 6, 8, step="snapshot", memory_before=200, memory_peak=400,
                  memory_after=250),
        ),
        tests=(check("is_unique", 8, 9),),
        samples=(
            sample(1, 150, memory_by_tag={"HASH_TABLE": 5, "WINDOW": 9}),
            sample(7, 600, memory_by_tag={"HASH_TABLE": 8}),
            sample(8.5, 500),
        ),
        memory_limit_bytes=4_000,
    )  # fmt: skip
    memory = analyse(made).memory
    assert (memory.peak_bytes, memory.at, memory.under_way) == (700, 2, ("int_a", "int_b"))
    assert memory.by_model == {"int_a": 700, "int_b": 700, "fct_c": 600}
    assert memory.by_step == {"events": 700, "snapshot": 600, "validation": 500}
    assert memory.by_tag == {"HASH_TABLE": 8, "WINDOW": 9}
    assert (memory.limit_bytes, memory.is_within_budget) == (4_000, True)


@pytest.mark.parametrize(("peak", "is_within"), [(BUDGET_BYTES, True), (BUDGET_BYTES + 1, False)])
def test_verdict_on_the_budget(peak, is_within):
    assert analyse(record(2, samples=(sample(1, peak),))).memory.is_within_budget is is_within


def test_a_peak_that_only_a_model_tells_of_counts():
    made = record(5, models=(model("int_a", 2, 4, memory_peak=900),), samples=(sample(1, 100),))
    memory = analyse(made).memory
    assert (memory.peak_bytes, memory.under_way) == (900, ("int_a",))


def test_a_record_in_which_nothing_happened_has_an_analysis():
    found = analyse(record(0, sessions=()))
    assert (found.wall_seconds, found.concurrency, found.critical_path) == (0, 0, ())
    assert (found.longest_model, found.cache_hit_rate, found.seconds_by_year) == (None, 0, {})


# Whole microseconds, as in the file.
instants = st.integers(0, 20_000_000)


@st.composite
def records(draw):
    names = ["stg_a", "int_b", "int_c", "fct_d", "fct_e"]

    def spans(make, some, most):
        found = []
        for _ in range(draw(st.integers(0, most))):
            start, took = draw(instants), draw(st.integers(0, 3_000_000))
            thread = draw(st.sampled_from(["model_0", "model_1"]))
            name = draw(st.sampled_from(some))
            found.append(make(name, start / 1e6, (start + took) / 1e6, thread))
        return tuple(found)

    runner = draw(st.sampled_from(["direct", "batch", "legacy"]))
    commands = spans(lambda name, a, b, _: command(name, a, b), ["dbt run"], 4)
    parts = {
        "models": spans(model, names, 15),
        "tests": spans(check, ["is_unique", "is_true"], 5),
        "work": spans(work, ["reading the census"], 4),
        "dbt_commands": commands if runner != "direct" else (),
    }
    end = max((span.end for some in parts.values() for span in some), default=0.0)
    nodes = [node(name, *names[:n]) for n, name in enumerate(names)]
    samples = sorted(draw(st.lists(instants, max_size=5)))
    return record(
        end + draw(st.integers(0, 2)), *nodes, runner=runner, **parts,
        samples=tuple(sample(at / 1e6, draw(st.integers(1, 9))) for at in samples),
    )  # fmt: skip


@given(records())
def test_critical_path_tiles_time(made):
    found = analyse(made)
    path, idle, at = found.critical_path, 0.0, 0.0
    for span in path:
        assert span.start >= at - ROUNDING
        idle += max(0.0, span.start - at)
        at = span.end
    idle += found.wall_seconds - at
    assert found.critical_path_seconds + idle == pytest.approx(found.wall_seconds, abs=1e-4)
    assert all(a.start < b.start for a, b in pairwise(path))
    assert all(seconds >= 0 for seconds in seconds_on(path))


@given(records())
def test_path_leaves_no_candidate_out(made):
    """Between two pieces nothing else ended, and nothing ends behind the last."""
    path = analyse(made).critical_path
    spans = (*made.models, *made.tests, *made.work)
    if path:
        assert path[-1].end >= max((s.end for s in spans), default=0.0)
    for before, after in pairwise(path):
        between = [
            s.end for s in spans
            if s.start < after.start and before.end + 0.001 < s.end <= after.start
        ]  # fmt: skip
        assert between == []


@given(records())
def test_shares_concurrency_and_times_are_consistent(made):
    found = analyse(made)
    spans = (*made.models, *made.tests)
    if sum(one.seconds for one in made.models) > 0:
        assert sum(one.share for one in found.models) == pytest.approx(1)
    assert 0 <= found.concurrency <= len(spans) + 1e-9
    assert found.busy_seconds + found.overhead_seconds == pytest.approx(found.wall_seconds)
    assert sum(one.total for one in found.models) == pytest.approx(
        sum(one.seconds for one in made.models)
    )
    assert sum(one.on_critical_path for one in found.models) <= found.critical_path_seconds + 1e-9
    covered = sum(gap.end - gap.start for gap in found.gaps)
    assert covered <= found.overhead_seconds + 1e-9


@given(records())
def test_concurrency_is_that_of_a_sweep_over_instants(made):
    spans = (*made.models, *made.tests)
    cuts = sorted({at for span in spans for at in (span.start, span.end)})
    under_way = busy = 0.0
    for a, b in pairwise(cuts):
        count = sum(span.start <= a and span.end >= b for span in spans)
        under_way += count * (b - a)
        busy += (b - a) if count else 0.0
    found = analyse(made)
    assert found.busy_seconds == pytest.approx(busy)
    assert found.concurrency == pytest.approx(under_way / busy if busy else 0.0)
