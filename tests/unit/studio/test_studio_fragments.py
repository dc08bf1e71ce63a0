"""Parts of pages: what they say, and that nothing of a run is read as HTML."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from written_run import event, started, year

from planalign.profile.analysis import BUDGET_BYTES, MemoryReport, analyse
from planalign.profile.findings import Finding
from planalign.record.query_plans import Operator, QueryPlan
from planalign.record.reading import record_of
from planalign.studio import fragments, panels, words
from planalign.studio.live import Alert, Live
from planalign.studio.runs import State, Summary

EVIL = "<img src=x onerror=alert(1)>\"'{0}"


class Seen(HTMLParser):
    """Collects tags and text, and fails on a tag that is not closed in its turn."""

    void = frozenset({"path", "circle", "input"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(str(text))
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def model(name, start, seconds):
    return event(
        "model_completed", start + seconds, year=2025, step="events", group=1, model=name,
        started=start, seconds=seconds, thread="0", rows=10, attempt=1, memory_peak=500,
    )  # fmt: skip


@pytest.fixture
def analysis():
    return analyse(
        record_of(
            [
                started(100.0),
                event("year_started", 100.0, year=2025, block=1, trajectories=2),
                model(EVIL, 100.0, 3.0),
                model("int_b", 103.0, 1.0),
                event("run_completed", 104.0),
            ]
        )
    )


@pytest.mark.parametrize("state", State)
def test_a_state_is_a_sign_and_a_word(state):
    seen = Seen(fragments.badge(state))
    assert seen.text == state.value
    assert seen.named("svg")[0]["aria-hidden"] == "true"


def test_the_list_links_each_run_and_says_what_became_of_it():
    live = Live().after([started(), event("run_planned", 101.0, years=4), year(2025, 102.0)])
    seen = Seen(fragments.run_list([Summary("a&b", State.STALE, live)]))
    assert seen.named("a") == [{"href": "/run/a%26b"}]
    assert "a&b stale direct 2025\N{EN DASH}2028 1 of 4 2.00 s" in seen.text
    assert {one["scope"] for one in seen.named("th")} == {"col", "row"}
    assert len(seen.named("caption")) == 1


def test_progress_is_told_in_numbers_for_those_who_see_no_bar():
    live = Live().after([started(), event("run_planned", 101.0, years=4), year(2025, 111.0)])
    live = live.after([event("sample", 112.0, resident_bytes=950)])
    seen = Seen(fragments.progress(live, 112.0))
    (bar,) = [one for one in seen.named("div") if one.get("role") == "progressbar"]
    assert (bar["aria-valuenow"], bar["aria-valuetext"]) == ("25", "1 of 4 years")
    assert "about 29 s" in seen.text
    assert "(95%), near the limit" in seen.text


def test_progress_before_anything_is_planned():
    seen = Seen(fragments.progress(Live().after([started()]), 101.0))
    assert "preparing" in seen.text
    assert "known after the first year" in seen.text


def test_there_are_six_tiles(analysis):
    seen = Seen(panels.tiles(analysis))
    assert len(seen.named("dt")) == 6
    assert "Wall time 4.00 s" in seen.text
    assert f"Longest model 3.00 s {EVIL}" in seen.text


def test_dbt_has_its_own_time_where_it_had_a_part(analysis):
    assert panels.dbt_times(analysis) == ""
    told = panels.dbt_times(replace(analysis, dbt_seconds={"compile": 1.5}))
    assert Seen(told).text == "dbt's own time Wall time 4.00 s dbt, compile 1.50 s"


def test_alerts_have_the_error_first_and_the_latest_before_others():
    live = Live(error="no space", alerts=(Alert("warning", "a", 1.0), Alert("retried", "b", 2.0)))
    assert Seen(fragments.alerts(live)).text == "Error no space Tried again b Warning a"
    assert fragments.alerts(Live()) == ""


def test_memory_near_the_limit_is_an_alert_while_the_run_goes_on():
    live = Live(memory_bytes=95, limit_bytes=100)
    assert "95% of the limit" in fragments.alerts(live)
    assert fragments.alerts(replace(live, outcome="completed")) == ""


@pytest.mark.parametrize(
    ("within", "said"), [(True, "Within"), (False, "Beyond"), (None, "does not tell")]
)
def test_the_verdict_on_memory_is_in_words(within, said):
    memory = MemoryReport(5_000_000_000, 1.0, ("m",), {"m": 5}, {"s": 5}, {}, None, within)
    seen = Seen(panels.memory_report(memory, BUDGET_BYTES))
    assert said in seen.text


def test_a_plan_is_a_tree():
    scan = Operator("SEQ_SCAN", "t", 1.0, 5, 50, {"Table": "t"}, ())
    join = Operator("HASH_JOIN", "hash join", 3.0, 7, None, {}, (scan, scan))
    seen = Seen(panels.plan_tree(QueryPlan(join, 4.0, 4.0, 0, 0, 0, 0, None, None)))
    assert "hash join 3.00 s (60%) · 7 rows" in seen.text
    assert "t 1.00 s (20%) · 5 rows, estimated 50" in seen.text
    assert len(seen.named("details")) == 3


@pytest.mark.parametrize(
    ("year", "address"),
    [
        (2026, "/run/a%20b/timeline?model=int_x&year=2026"),
        (None, "/run/a%20b/timeline?model=int_x"),
    ],
)
def test_a_finding_leads_to_the_bars_of_its_model(year, address):
    found = Finding("slow_model", "slow", "int_x", year, (), "", "", None, "low")
    assert [one["href"] for one in Seen(panels.finding("a b", found)).named("a")] == [address]


def test_a_finding_of_the_whole_run_leads_nowhere():
    found = Finding("cold_cache", "cold", None, None, (), "", "", None, "low")
    assert Seen(panels.finding("a", found)).named("a") == []


def evil_finding():
    return Finding(EVIL, EVIL, EVIL, 2025, ((EVIL, EVIL),), EVIL, EVIL, None, "high")


@pytest.mark.parametrize(
    "part",
    [
        lambda _: fragments.run_list([Summary(EVIL, State.RUNNING, Live(runner=EVIL))]),
        lambda _: fragments.run_head(Summary(EVIL, State.FAILED, Live(runner=EVIL))),
        lambda _: fragments.views(EVIL, ""),
        lambda _: fragments.progress(Live(step=EVIL, model=EVIL), 1.0),
        lambda _: fragments.alerts(Live(error=EVIL, alerts=(Alert("warning", EVIL, 1.0),))),
        lambda _: panels.finding(EVIL, evil_finding()),
        lambda _: fragments.note(EVIL, EVIL),
        lambda _: panels.plan_tree(
            QueryPlan(
                Operator(EVIL, EVIL, 1.0, 1, 1, {EVIL: EVIL}, ()), 1, 1, 0, 0, 0, 0, None, None
            )
        ),
        panels.tiles,
        panels.model_table,
        lambda analysis: panels.memory_report(analysis.memory, BUDGET_BYTES),
    ],
)
def test_nothing_of_a_run_is_read_as_html(part, analysis):
    seen = Seen(part(analysis))
    assert seen.named("img") == []
    assert not any(name.startswith("on") for _, found in seen.tags for name in found)


def test_only_one_view_is_the_current_one():
    seen = Seen(fragments.views("one", "memory"))
    current = [one for one in seen.named("a") if "aria-current" in one]
    assert current == [{"href": "/run/one/memory", "aria-current": "page"}]


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, words.UNKNOWN), (0.0, "0 s"), (0.00002, "under 0.1 ms"), (0.0021, "2.1 ms"),
     (0.05, "50 ms"), (1.234, "1.23 s"),
     (61.2, "61.2 s"), (125.0, "2 min 05 s"), (7_260.0, "2 h 01 min")],
)  # fmt: skip
def test_seconds(value, said):
    assert words.seconds(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, words.UNKNOWN), (0, "0 B"), (1_500, "2 kB"), (204e6, "204 MB"), (4e9, "4.00 GB"),
     (999_600_000, "1.00 GB")],
)  # fmt: skip
def test_sizes(value, said):
    assert words.size(value) == said
