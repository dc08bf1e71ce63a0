"""Tells how many faults the tests of a run injected."""

from __future__ import annotations

from faulty import INJECTED


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the faults by kind; of tests that other processes ran, these know nothing."""
    if INJECTED:
        terminalreporter.section("faults injected")
        for kind, number in sorted(INJECTED.items()):
            terminalreporter.write_line(f"{number:>5}  {kind}")
        terminalreporter.write_line(f"{sum(INJECTED.values()):>5}  in all")
