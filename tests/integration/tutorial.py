"""Do what the tutorial says, and write down what its commands print.

    python tests/integration/tutorial.py

writes docs/tutorial.md anew, with what they print now, where more than what a clock says has
changed. The blocks are done in their order: a `console` block is a command and its output, a
`yaml` block takes the place of the scenarios.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WIDE = "250"
# What a clock says, and the order in which years that overlap begin and end.
_YEAR = re.compile(r"\n(?:\d{4}: |Compiling )[^\n]*")
_SECONDS = re.compile(r"(\n (?:baseline|growth|freeze|match|automatic) .*?) +\d+\.\d\d(?=\n)")


def timeless(text: str) -> str:
    """Return what is printed each time: no seconds, no progress."""
    return _SECONDS.sub(r"\1", _YEAR.sub("", text))


class Reader:
    """Somebody who follows the tutorial in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PLANALIGN_CACHE_DIR": str(folder / "cache"),
            "COLUMNS": _WIDE,
            "NO_COLOR": "1",
        }

    def follow(self, kind: str, text: str) -> str:
        """Return a block as it should read: a command with what it prints now."""
        if kind == "yaml":
            file = self._folder / "planalign.yaml"
            settings, _, _ = file.read_text(encoding="utf-8").rpartition("\nscenarios:\n")
            file.write_text(f"{settings}\n{text}", encoding="utf-8")
            return text
        command, printed = _parted(text)
        if command.startswith("cd "):
            self._folder /= command.removeprefix("cd ")
            return text
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        now = done.stdout.replace(str(self._root), "…")
        lines = [line.rstrip() for line in now.splitlines() if line.strip()]
        if printed.startswith("...\n"):
            lines = ["...", lines[-1]]
        new = "\n".join([f"$ {command}", *lines, ""])
        return text if timeless(new) == timeless(text) else new


def _parted(text: str) -> tuple[str, str]:
    """Return the command of a block, whose quotes may span lines, and the output below it."""
    lines = text.removeprefix("$ ").splitlines(keepends=True)
    length = next(n for n in range(1, len(lines) + 1) if "".join(lines[:n]).count('"') % 2 == 0)
    return "".join(lines[:length]).rstrip("\n"), "".join(lines[length:])


def followed(page: str, folder: Path) -> str:
    """Return the tutorial with what its commands print now.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    reader = Reader(folder)
    return _BLOCK.sub(lambda found: f"```{found[1]}\n{reader.follow(found[1], found[2])}```", page)


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(followed(PAGE.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
