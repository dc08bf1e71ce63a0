"""Each detector: what it finds in a record made by hand, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made import check, model, node, record, sample, work

from planalign.profile.analysis import analyse
from planalign.profile.findings import find
from planalign.profile.findings.finding import in_order, severity_of
from planalign.record.record import Note

MB = 1_000_000


def found(made, earlier=None):
    """What is found, as kind and model."""
    return [(one.kind, one.model) for one in find(made, analyse(made), earlier)]


def one(made, kind, earlier=None):
    [finding] = [f for f in find(made, analyse(made), earlier) if f.kind == kind]
    return finding


def calm(*more, seconds=20.0, **details):
    """A run of twelve models of 0.2 s, one after another, and whatever else is given."""
    models = [model(f"int_{n}", n * 0.2, n * 0.2 + 0.2, rows=1000, cpu_seconds=0.3)
              for n in range(12)]  # fmt: skip
    nodes = [node(one.name) for one in (*models, *more)]
    details.setdefault("samples", (sample(1.0),))
    return record(seconds, *nodes, models=(*models, *more), **details)


def test_a_calm_run_has_no_findings():
    assert found(calm()) == []


def test_an_empty_record_has_no_findings():
    assert found(record(0.0)) == []


@pytest.mark.parametrize("runner", ["batch", "legacy"])
def test_time_between_models_of_dbt_is_no_finding(runner):
    assert found(replace(sparse(), runner=runner)) == []


def test_a_model_far_slower_than_its_peers_is_slow():
    made = calm(model("int_slow", 3, 15, rows=1000))
    finding = one(made, "slow_model")
    assert (finding.model, finding.year, finding.severity) == ("int_slow", 2025, "high")
    assert finding.gain_seconds == pytest.approx(11.8)
    assert dict(finding.evidence)["longest"] == "12.00 s"


def test_a_model_that_is_slow_for_its_rows_is_left_alone():
    big = [model(f"int_big_{n}", 3 + n, 4 + n, rows=2_000_000) for n in range(3)]
    assert found(calm(*big)) == []


def test_rows_that_a_model_reads_count_as_its_own():
    feeder, counter = model("int_feeder", 3, 4, rows=5_000_000), model("int_count", 4, 6, rows=1)
    made = calm(feeder, counter)
    graph = {**made.graph, "int_count": node("int_count", "int_feeder")}
    assert found(replace(made, graph=graph)) == []


def test_over_thirty_seconds_is_slow_whatever_the_peers():
    peers = [model(f"int_{n}", n * 40, n * 40 + 35, rows=1000) for n in range(9)]
    made = record(360, *(node(p.name) for p in peers), models=tuple(peers))
    assert {kind for kind, _ in found(made)} == {"slow_model"}
    assert len(found(made)) == 9


def test_what_dbt_does_around_a_model_is_not_its_own():
    made = calm(model("int_late", 3, 40, rows=1000, dbt_execute_seconds=0.2))
    assert found(replace(made, runner="legacy")) == []


def test_an_outlier_of_less_than_a_second_is_left_alone():
    assert found(calm(model("int_slow", 3, 3.9, rows=1000))) == []


def test_a_model_slower_than_in_an_earlier_run_is_found():
    before = calm(model("int_big", 3, 4, rows=1_000_000))
    now = calm(model("int_big", 3, 7, rows=1_000_000))
    finding = one(now, "slower_than_earlier", before)
    assert (finding.model, finding.gain_seconds) == ("int_big", pytest.approx(3.0))
    assert "slower_than_earlier" not in [kind for kind, _ in found(before, now)]


def test_more_rows_than_in_an_earlier_run_are_no_reason():
    before = calm(model("int_big", 3, 4, rows=1_000_000))
    now = calm(model("int_big", 3, 7, rows=4_000_000))
    assert "slower_than_earlier" not in [kind for kind, _ in found(now, before)]


def with_view(*readers):
    made = calm(
        model("int_view", 2.4, 2.4),
        *(model(name, 3 + n, 4 + n, rows=1_000_000) for n, name in enumerate(readers)),
    )
    view = replace(node("int_view"), materialization="view")
    graph = {**made.graph, "int_view": view, **{name: node(name, "int_view") for name in readers}}
    return replace(made, graph=graph)


def test_a_view_that_several_models_read_is_found():
    finding = one(with_view("int_a", "int_b", "int_c"), "view_read_often")
    assert finding.model == "int_view"
    assert finding.gain_seconds == pytest.approx(2.0)
    assert dict(finding.evidence)["readers"] == "int_a, int_b, int_c"


def test_a_view_with_one_reader_is_left_alone():
    assert found(with_view("int_a")) == []


def test_readers_through_another_view_count():
    made = with_view("int_a")
    outer = replace(node("int_outer", "int_view"), materialization="view")
    graph = {**made.graph, "int_outer": outer, "int_0": node("int_0", "int_outer")}
    made = replace(made, graph=graph)
    assert dict(one(made, "view_read_often").evidence)["readers"] == "int_0, int_a"


def test_a_long_model_on_one_thread_is_found_where_other_cores_had_room():
    alone = model("int_window", 3, 11, rows=5_000_000, cpu_seconds=8.0)
    idle = calm(alone, samples=(sample(5.0, busy_by_core=(1.0, 0.1)),))
    assert one(idle, "single_threaded").gain_seconds == pytest.approx(4.0)
    busy = calm(alone, samples=(sample(5.0, busy_by_core=(1.0, 0.9)),))
    assert "single_threaded" not in [kind for kind, _ in found(busy)]
    beside = replace(idle, tests=(check("rule", 5, 6),))
    assert "single_threaded" not in [kind for kind, _ in found(beside)]
    both = calm(replace(alone, cpu_seconds=15.0), samples=idle.samples)
    assert "single_threaded" not in [kind for kind, _ in found(both)]
    assert "single_threaded" not in [kind for kind, _ in found(replace(idle, threads=1))]


def sparse():
    models = tuple(model(f"int_{n}", n, n + 0.02, rows=10) for n in range(12))
    return record(12, *(node(m.name) for m in models), models=models, cores=2)


def test_models_shorter_than_what_lies_between_them_are_found():
    finding = one(sparse(), "over_parallel")
    assert finding.gain_seconds == pytest.approx(11 - 11 * 0.02)


def test_more_threads_than_cores_are_found():
    assert found(calm(threads=8, cores=2)) == [("over_parallel", None)]
    assert found(calm(threads=4, cores=2)) == []


def test_a_model_that_spills_is_named_and_not_what_is_beside_it():
    made = calm(
        model("int_sort", 3, 5, rows=2_000_000, spilled_bytes=300 * MB),
        model("int_beside", 4, 4.5, rows=10, spilled_bytes=300 * MB),
    )
    assert found(made) == [("spill", "int_sort")]
    assert dict(one(made, "spill").evidence)["spilled"] == "300 MB"


def test_files_that_a_model_found_are_not_its_own():
    made = calm(
        model("int_sort", 3, 5, rows=2_000_000, spilled_bytes=300 * MB),
        model("int_next", 5.1, 5.2, rows=10, spilled_bytes=70 * MB),
        model("int_again", 8, 9, rows=1_000_000, spilled_bytes=70 * MB),
        samples=(sample(7.0),),
    )
    assert found(made) == [("spill", "int_sort"), ("spill", "int_again")]


def test_a_memory_hog_is_named():
    hog = model("int_hog", 3, 5, rows=2_000_000, memory_before=200 * MB, memory_peak=1700 * MB)
    other = model("int_x", 6, 7, rows=1_000_000, memory_before=200 * MB, memory_peak=300 * MB)
    limit = {"memory_limit_bytes": 4000 * MB}
    finding = one(calm(hog, other, **limit), "memory_hog")
    assert (finding.model, finding.severity) == ("int_hog", "medium")
    assert dict(finding.evidence)["of the limit"] == "38%"
    alike = replace(other, memory_peak=1200 * MB)
    assert found(calm(hog, alike, **limit)) == []
    small = replace(hog, memory_peak=600 * MB)
    assert found(calm(small, **limit)) == []


def test_memory_near_the_limit_is_found_but_not_pages_that_can_go():
    full = calm(samples=(sample(0.9, memory=1100 * MB),), memory_limit_bytes=1000 * MB)
    assert found(full) == [("near_memory_limit", "int_4")]
    pages = {"BASE_TABLE": 400 * MB}
    made = calm(
        samples=(sample(1.0, memory=1100 * MB, memory_by_tag=pages),),
        memory_limit_bytes=1000 * MB,
    )
    assert found(made) == []


def test_less_taken_at_once_is_found():
    made = calm(notes=(Note(0.3, "breaker_tripped", {"reason": "short"}),))
    finding = one(made, "near_memory_limit")
    assert (finding.model, finding.severity) == ("int_1", "high")


def test_a_cache_that_was_passed_over_is_found():
    made = calm(notes=(Note(0.3, "cache_ignored", {"reason": "disk full"}),))
    assert dict(one(made, "cold_cache").evidence)["reason"] == "disk full"


def test_a_start_far_slower_than_an_earlier_one_is_found():
    late = record(20, node("int_a"), models=(model("int_a", 9, 10),), work=(work("reading", 8, 9),))
    assert found(late, calm()) == [("cold_cache", None)]
    assert found(late) == []


def scan(table, rows, scanned, seconds, *of):
    groups, filters = (*of, None, None)[:2]
    info = {"Table": f"memory.main.{table}", "Projections": ["key"]}
    raw = {"type": "TABLE_SCAN", "timing": seconds, "intermediate_rows": rows,
           "rows_scanned": scanned, "children": []}  # fmt: skip
    if groups:
        raw |= {"row_groups_scanned": groups[0], "total_row_groups_to_scan": groups[1]}
    return {**raw, "extra_info": {**info, **({"Filters": filters} if filters else {})}}


def join(kind, rows, seconds, *children, expected=None):
    info = {} if expected is None else {"Estimated Cardinality": str(expected)}
    return {"type": kind, "timing": seconds, "intermediate_rows": rows, "extra_info": info,
            "children": list(children)}  # fmt: skip


def planned(*operators, seconds=1.0):
    """A calm run with the plan of one of its models."""
    plan = {"operator": list(operators), "query": {"total_time": seconds, "cpu_time": seconds}}
    return calm(query_plans={("int_3", 2025, 1): plan})


SIDES = scan("a", 500_000, 500_000, 0.1), scan("b", 2, 2, 0.0)


def test_a_join_with_a_far_estimate_that_takes_long_is_found():
    made = planned(join("HASH_JOIN", 5_000_000, 0.6, *SIDES, expected=1000))
    finding = one(made, "bad_estimate")
    assert (finding.model, dict(finding.evidence)["rows expected"]) == ("int_3", "1,000")


def test_a_join_that_hashes_the_larger_side_is_found():
    small, large = scan("a", 10, 10, 0.0), scan("b", 500_000, 500_000, 0.1)
    assert found(planned(join("HASH_JOIN", 10, 0.6, small, large, expected=400_000))) == [
        ("bad_estimate", "int_3")
    ]


def test_a_join_that_is_little_of_the_run_is_left_alone():
    made = planned(join("HASH_JOIN", 5_000_000, 0.6, *SIDES, expected=1000))
    long = [model(f"int_long_{n}", 3 + n, 12 + n, rows=9_000_000) for n in range(4)]
    made = replace(made, models=(*made.models, *long))
    assert "bad_estimate" not in [kind for kind, _ in found(made)]


@pytest.mark.parametrize(
    ("rows", "expected", "seconds"),
    [(5_000_000, 100_000, 0.6), (5_000_000, 1000, 0.01), (9, 1, 1), (500_000, 0, 0.6)],
    ids=["near", "fast", "small", "harmless"],
)
def test_another_join_is_left_alone(rows, expected, seconds):
    assert found(planned(join("HASH_JOIN", rows, seconds, *SIDES, expected=expected))) == []


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("CROSS_PRODUCT", "cross_product"),
        ("NESTED_LOOP_JOIN", "nested_loop"),
        ("BLOCKWISE_NL_JOIN", "nested_loop"),
    ],
)
def test_every_row_with_every_row_is_found(operator, kind):
    sides = scan("a", 2000, 2000, 0.0), scan("b", 3000, 3000, 0.0)
    finding = one(planned(join(operator, 100, 0.2, *sides)), kind)
    assert (finding.model, dict(finding.evidence)["pairs"]) == ("int_3", "6,000,000")
    assert finding.gain_seconds == pytest.approx(1.0)


def test_a_product_with_a_small_side_is_left_alone():
    assert found(planned(join("CROSS_PRODUCT", 10**6, 0.5, *SIDES))) == []


def test_a_table_read_many_times_is_found():
    scans = [scan("wide", 10, 1_000_000, 0.2) for _ in range(4)]
    finding = one(planned(join("UNION", 40, 0.0, *scans)), "repeated_scan")
    assert dict(finding.evidence)["table"] == "wide"
    assert finding.gain_seconds == pytest.approx(0.6)
    assert found(planned(join("UNION", 40, 0.0, *scans[:2]))) == []
    fast = [scan("wide", 10, 1_000_000, 0.02) for _ in range(4)]
    assert found(planned(join("UNION", 40, 0.0, *fast))) == []


def test_a_scan_that_leaves_nothing_out_is_found():
    made = planned(scan("mixed", 1000, 3_000_000, 0.5, (25, 25), "(key < 1000)"))
    finding = one(made, "unpruned_scan")
    assert dict(finding.evidence)["row groups scanned"] == "25 of 25"
    told_by_rows = planned(scan("mixed", 1000, 3_000_000, 0.5, None, "key<1000"))
    assert "row groups scanned" not in dict(one(told_by_rows, "unpruned_scan").evidence)


@pytest.mark.parametrize(
    "one_scan",
    [
        scan("mixed", 1000, 3_000_000, 0.5, (2, 25), "(key < 1000)"),
        scan("mixed", 1000, 3_000_000, 0.5, (25, 25)),
        scan("mixed", 2_000_000, 3_000_000, 0.5, (25, 25), "(key > 1000)"),
        scan("mixed", 10, 100_000, 0.5, (1, 1), "(key < 10)"),
        scan("mixed", 1000, 3_000_000, 0.01, (25, 25), "(key < 1000)"),
    ],
    ids=["pruned", "unfiltered", "kept", "small", "fast"],
)
def test_other_scans_are_left_alone(one_scan):
    assert found(planned(one_scan)) == []


def test_what_costs_most_comes_first():
    made = planned(join("UNION", 40, 0.0, *[scan("wide", 10, 1_000_000, 0.2)] * 4))
    slow = model("int_slow", 3, 15, rows=1000)
    made = replace(
        made, models=(*made.models, slow), graph={**made.graph, slow.name: node("int_slow")}
    )
    assert [f.kind for f in find(made, analyse(made))] == ["slow_model", "repeated_scan"]
    assert in_order([]) == ()


def test_severity_is_the_part_of_the_run():
    assert [severity_of(s, 100.0) for s in (30, 6, 1)] == ["high", "medium", "low"]
    assert severity_of(1.0, 0.0) == "low"
