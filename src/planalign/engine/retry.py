"""Do work again that a transient fault kept from being done: bounded, with growing waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import duckdb

from planalign.engine.faults import FAILURES, Fault, fault_of, first_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from planalign.record.telemetry import Listener

_T = TypeVar("_T")


@dataclass(frozen=True)
class Policy:
    """How often and how long: `attempts` in all; none begins after `seconds`.

    Waits double from `first_wait` seconds to `longest_wait`, each with up to
    `first_wait` seconds at random on top, so that two processes that met do not
    meet again.
    """

    attempts: int = 8
    seconds: float = 20.0
    first_wait: float = 0.1
    longest_wait: float = 4.0


@dataclass(frozen=True)
class Retry:
    """Attempts at work that may be done twice: a transaction, a rename, a look-up.

    Tells `retried` of each. `stopped` ends the wait, and all attempts, when the
    user stops the run.
    """

    tell: Listener
    policy: Policy = Policy()
    sleep: Callable[[float], object] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, what: str, work: Callable[[], _T], *, model: str | None = None) -> _T:
        """Do work, again while it fails transiently; raise its last failure.

        Args:
            what: what is worked on, for people to read.
            work: raises one of `FAILURES`, and has undone what it did by then.
            model: its name, where the work builds one.
        """
        try:
            return work()
        except FAILURES as error:
            if fault_of(error) is not Fault.TRANSIENT:
                raise
            return self._again(what, work, error, model)

    def _again(self, what: str, work: Callable[[], _T], first: Exception, model: str | None) -> _T:
        # Here, so that a run without a fault does not pay for the import.
        from tenacity import (
            Retrying,
            retry_if_exception,
            stop_after_attempt,
            stop_before_delay,
            wait_exponential,
            wait_random,
        )

        failed = [first]

        def attempt() -> _T:
            if failed:  # the attempt that brought us here counts as the first
                raise failed.pop()
            return work()

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self.tell(
                "retried",
                what=what,
                model=model,
                attempt=state.attempt_number,
                wait_seconds=round(state.upcoming_sleep, 3),
                error=first_words(error or first),
            )

        policy = self.policy
        return Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, FAILURES) and fault_of(error) is Fault.TRANSIENT
            ),
            stop=stop_after_attempt(policy.attempts) | stop_before_delay(policy.seconds),
            wait=wait_exponential(multiplier=policy.first_wait, max=policy.longest_wait)
            + wait_random(0, policy.first_wait),
            before_sleep=tell,
            sleep=self._wait,
            reraise=True,
        )(attempt)

    def _wait(self, seconds: float) -> None:
        (self.sleep or self.stopped.wait)(seconds)
        if self.stopped.is_set():
            raise duckdb.InterruptException("stopped while waiting for another attempt")
