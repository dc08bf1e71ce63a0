"""Run the property tests of input with many more inputs, other ones each time.

    python tests/fuzz.py [tests or options of pytest ...]

Takes about half an hour, and prints how many inputs each property was tried with. An
input that fails is printed with what reproduces it; it belongs into tests/corpus.
"""

from __future__ import annotations

import functools
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HYPOTHESIS_PROFILE", "long")

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parent
WHERE = (TESTS / "bad_input", TESTS / "unit" / "census", TESTS / "unit" / "config")


class InputsTried:
    """Counts how often the body of each property is called."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Count for every property, once for all its parameters."""
        for item in items:
            handle: Any = getattr(getattr(item, "obj", None), "hypothesis", None)
            if handle is not None and item.originalname not in self.of:
                self.of[item.originalname] = 0
                handle.inner_test = self._counted(item.originalname, handle.inner_test)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the figures."""
        terminalreporter.section("inputs tried")
        for name, tried in sorted(self.of.items()):
            terminalreporter.write_line(f"{tried:>9,}  {name}")
        terminalreporter.write_line(f"{sum(self.of.values()):>9,}  in all")

    def _counted(self, name: str, test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def counted(*arguments: Any, **named: Any) -> None:
            self.of[name] += 1
            test(*arguments, **named)

        return counted


def main(arguments: list[str]) -> int:
    """Run the properties and return pytest's exit code."""
    options = ["-q", "-p", "no:cacheprovider", "-n", "0", "-m", "hypothesis"]
    where = [] if any(Path(a.split("::")[0]).exists() for a in arguments) else map(str, WHERE)
    return pytest.main([*options, *where, *arguments], plugins=[InputsTried()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
