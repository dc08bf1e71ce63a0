"""How a run goes, told by its events as they come; no clock but the one that is given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OUTCOMES = {
    "run_completed": "completed",
    "run_failed": "failed",
    "run_interrupted": "interrupted",
}
# From here on memory is told of as near its limit.
NEAR = 0.9


@dataclass(frozen=True)
class Alert:
    """Something that a reader should know: what it is, in a word, and what it says."""

    kind: str
    text: str
    time: float  # Unix time, seconds


@dataclass(frozen=True)
class Live:
    """The state of a run after some of its events. Times are Unix time in seconds.

    `outcome` is that of the last session: `completed`, `failed`, `interrupted`, or None
    where it goes on or was killed. `seconds` are those of all sessions.
    """

    runner: str = ""
    first_year: int | None = None
    last_year: int | None = None
    trajectories: int | None = None
    limit_bytes: int | None = None
    planned: int | None = None  # years, over all blocks
    done: int = 0
    from_cache: int = 0
    began: float | None = None  # the first session
    session_began: float | None = None
    session_done: int = 0  # years that were computed in this session
    computing_since: float | None = None
    last_done: float | None = None
    last_told: float | None = None
    seconds_before: float = 0.0  # of the sessions before
    year: int | None = None
    step: str | None = None
    model: str | None = None
    models: int = 0
    memory_bytes: int | None = None
    peak_bytes: int | None = None
    outcome: str | None = None
    error: str | None = None
    alerts: tuple[Alert, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """Return how long the sessions took until the last event."""
        if self.session_began is None or self.last_told is None:
            return self.seconds_before
        return self.seconds_before + max(0.0, self.last_told - self.session_began)

    @property
    def share(self) -> float | None:
        """Return the part of the planned years that is done, of 1."""
        return None if not self.planned else min(1.0, self.done / self.planned)

    @property
    def memory_share(self) -> float | None:
        """Return the memory of the last sample as a part of the limit."""
        if self.memory_bytes is None or not self.limit_bytes:
            return None
        return self.memory_bytes / self.limit_bytes

    def eta(self, now: float) -> float | None:
        """Return the seconds that the rest should take; None before a year was computed.

        The pace is the mean time between the years that this session completed, of those
        that it computed; the years left take as long each, less what has passed since the
        last one. Years run into each other, so that their own seconds would count twice.
        """
        if self.outcome or not self.planned or not self.session_done:
            return None
        if self.computing_since is None or self.last_done is None:
            return None
        pace = (self.last_done - self.computing_since) / self.session_done
        left = max(0, self.planned - self.done)
        return max(0.0, pace * left - max(0.0, now - self.last_done))

    def after(self, events: Iterable[Mapping[str, Any]]) -> Live:
        """Return the state after some more events."""
        live = self
        for event in events:
            live = _after(live, event)
        return live


def _after(live: Live, event: Mapping[str, Any]) -> Live:
    kind, time = event["kind"], float(event["time"])
    change = _CHANGES.get(kind)
    changed = live if change is None else change(live, event)
    text = _ALERTS.get(kind)
    if text is not None:
        alert = Alert(kind, text(event), time)
        last = live.alerts[-1] if live.alerts else None
        # The breaker is told of once more, as a warning.
        if last is None or last.kind != "breaker_tripped" or last.text not in alert.text:
            changed = replace(changed, alerts=(*changed.alerts, alert))
    return replace(changed, last_told=time)


def _start(live: Live, event: Mapping[str, Any]) -> Live:
    return replace(
        live,
        runner=event.get("runner", ""),
        first_year=event.get("first_year"),
        last_year=event.get("last_year"),
        trajectories=event.get("trajectories"),
        limit_bytes=event.get("memory_limit_bytes"),
        began=live.began if live.began is not None else event["time"],
        seconds_before=live.seconds,
        session_began=event["time"],
        session_done=0,
        computing_since=None,
        last_done=None,
        memory_bytes=None,
        step=None,
        model=None,
        year=None,
        outcome=None,
        error=None,
    )


def _plan(live: Live, event: Mapping[str, Any]) -> Live:
    since = event["time"] if live.computing_since is None else live.computing_since
    return replace(live, planned=event["years"], computing_since=since)


def _complete(live: Live, event: Mapping[str, Any]) -> Live:
    return replace(
        live, done=live.done + 1, session_done=live.session_done + 1, last_done=event["time"]
    )


def _adopt(live: Live, event: Mapping[str, Any]) -> Live:
    # It took no time to speak of, and says nothing of the pace of the others.
    since = live.computing_since
    return replace(
        live,
        done=live.done + 1,
        from_cache=live.from_cache + 1,
        year=event.get("year"),
        computing_since=event["time"] if not live.session_done else since,
    )


def _sample(live: Live, event: Mapping[str, Any]) -> Live:
    now = event["resident_bytes"]
    return replace(live, memory_bytes=now, peak_bytes=max(now, live.peak_bytes or 0))


def _model(live: Live, event: Mapping[str, Any]) -> Live:
    peak = max(event.get("memory_peak") or 0, live.peak_bytes or 0)
    return replace(
        live,
        year=event.get("year"),
        step=event.get("step") or live.step,
        model=event.get("model"),
        models=live.models + 1,
        peak_bytes=peak or None,
    )


def _end(live: Live, event: Mapping[str, Any]) -> Live:
    return replace(live, outcome=_OUTCOMES[event["kind"]], error=event.get("error"))


_CHANGES = {
    "run_started": _start,
    "run_planned": _plan,
    "year_completed": _complete,
    "year_from_cache": _adopt,
    "year_started": lambda live, event: replace(live, year=event["year"]),
    "step_started": lambda live, event: replace(live, year=event["year"], step=event["step"]),
    "compiling": lambda live, _: replace(live, step="compiling the models with dbt"),
    "model_completed": _model,
    "sample": _sample,
    **dict.fromkeys(_OUTCOMES, _end),
}
_ALERTS = {
    "warning": lambda e: str(e.get("message", "")),
    "retried": lambda e: f"{e.get('what')}: attempt {e.get('attempt')} failed ({e.get('error')})",
    "group_failed": lambda e: f"A group of models failed, and runs one by one ({e.get('error')})",
    "breaker_tripped": lambda e: f"{e.get('reason')}; the run {e.get('action')}",
    "cache_ignored": lambda e: f"The cache of years was not used ({e.get('reason')})",
    "test_failed": lambda e: f"The check {e.get('test')} found {e.get('failures')} rows",
}
