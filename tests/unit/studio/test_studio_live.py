"""The state of a run from its events: progress, pace, memory, alerts."""

from __future__ import annotations

import pytest
from written_run import event, started, year

from planalign.studio.live import Live


def planned(time: float, years: int = 4):
    return event("run_planned", time, years=years, blocks=1)


def after(*events):
    return Live().after(events)


def test_nothing_is_known_before_the_first_event():
    live = Live()
    assert (live.share, live.memory_share, live.seconds, live.eta(1.0)) == (None, None, 0.0, None)


def test_progress_counts_the_years_that_are_complete():
    live = after(started(), planned(102.0), year(2025, 110.0))
    assert (live.done, live.planned, live.share, live.seconds) == (1, 4, 0.25, 10.0)


def test_the_time_left_is_the_pace_of_this_session_times_the_years_left():
    live = after(started(100.0), planned(102.0), year(2025, 112.0), year(2026, 122.0))
    assert live.eta(122.0) == pytest.approx(20.0)
    assert live.eta(127.0) == pytest.approx(15.0)
    assert live.eta(1_000.0) == 0.0


def test_the_time_left_is_unknown_before_a_year_and_after_the_end():
    assert after(started(), planned(102.0)).eta(103.0) is None
    ended = after(started(), planned(1.0), year(2025, 2.0), event("run_completed", 3.0))
    assert ended.eta(4.0) is None


def test_years_from_the_cache_are_done_but_tell_no_pace():
    cached = event("year_from_cache", 103.0, year=2025, trajectories=2)
    live = after(started(), planned(102.0), cached)
    assert (live.done, live.from_cache, live.eta(104.0)) == (1, 1, None)
    assert live.after([year(2026, 113.0)]).eta(113.0) == pytest.approx(20.0)


def test_a_resumed_run_goes_on_and_has_its_own_pace():
    before = (started(100.0), planned(101.0), year(2025, 200.0), event("run_interrupted", 201.0))
    live = after(*before)
    assert live.outcome == "interrupted"
    live = live.after([started(1_000.0, resumed=True), planned(1_001.0), year(2026, 1_011.0)])
    assert (live.outcome, live.done, live.seconds) == (None, 2, 101.0 + 11.0)
    assert live.eta(1_011.0) == pytest.approx(20.0)
    assert live.began == 100.0


def test_blocks_that_became_smaller_never_show_more_than_all():
    assert after(started(), planned(1.0, 1), year(2025, 2.0), year(2026, 3.0)).share == 1.0


def test_what_is_done_now_is_the_last_model():
    model = event("model_completed", 103.0, year=2025, step="events", model="m", memory_peak=900)
    live = after(started(), event("step_started", 102.0, year=2025, step="setup"), model)
    assert (live.year, live.step, live.model, live.peak_bytes) == (2025, "events", "m", 900)


def test_memory_is_compared_with_the_limit():
    live = after(started(), event("sample", 101.0, resident_bytes=950))
    assert live.memory_share == pytest.approx(0.95)
    assert live.after([event("sample", 102.0, resident_bytes=10)]).peak_bytes == 950


@pytest.mark.parametrize(
    ("kind", "details", "said"),
    [
        ("warning", {"message": "odd"}, "odd"),
        ("retried", {"what": "m", "attempt": 1, "error": "locked"}, "m: attempt 1 failed (locked)"),
        ("test_failed", {"test": "t", "failures": 3}, "The check t found 3 rows"),
        ("cache_ignored", {"reason": "gone"}, "The cache of years was not used (gone)"),
        (
            "group_failed",
            {"error": "e"},
            "A group of models failed, and runs one by one (e)",
        ),
    ],
)
def test_what_a_reader_must_know_is_an_alert(kind, details, said):
    alerts = after(started(), event(kind, 101.0, **details)).alerts
    assert [(one.kind, one.text) for one in alerts] == [(kind, said)]


def test_the_breaker_is_told_of_once():
    trip = event("breaker_tripped", 101.0, reason="m took too much", action="goes on with less")
    told = event("warning", 101.0, message="m took too much; the run goes on with less. The same.")
    assert [one.kind for one in after(started(), trip, told).alerts] == ["breaker_tripped"]


def test_a_failed_run_says_why():
    live = after(started(), event("run_failed", 101.0, error="no space"))
    assert (live.outcome, live.error) == ("failed", "no space")
