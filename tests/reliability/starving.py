"""Let planalign run short of what a machine has: disk, files, memory, the right time.

Disks are real ones: a small tmpfs in a mount namespace that ends with the test, so that no mount
is left behind, whatever becomes of it. Without root the kernel must allow user namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planalign.census import generate_census

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Answers "ready" once the namespace is there, and keeps it until its input ends.
_KEEPER = ["unshare", "--map-root-user", "--mount", "--propagation", "private", "sh", "-c"]
# Longer than any command here takes; one that hangs is a broken promise too.
LONGEST = 300.0
_CONFIG = """\
census: census.parquet
simulation: {start_year: 2025, end_year: 2026, random_seed: 42}
resources: {threads: 2}
"""


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code and what it wrote to stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Return the error, the progress before it left out."""
        _, found, text = f"\n{self.err}".partition("\nError: ")
        return text.strip() if found else ""


def planalign(*arguments: str, cwd: Path, before: Sequence[str] = (), **variables: str) -> Said:
    """Run a planalign command in `cwd`, by way of the command `before`."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "planalign", *arguments],
        cwd=cwd,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass
class Started:
    """A planalign command that goes on beside the test."""

    process: subprocess.Popen[str]

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Keep it where it is while the block lasts, however fast the machine."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def ended(self) -> Said:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=LONGEST)
        return Said(self.process.returncode, out, err)


@contextmanager
def started(*arguments: str, cwd: Path, before: Sequence[str] = ()) -> Iterator[Started]:
    """Lend a planalign command that has been started; it ends with the block."""
    with subprocess.Popen(
        [*before, sys.executable, "-m", "planalign", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Started(process)
        finally:
            process.kill()


@dataclass(frozen=True)
class Study:
    """A project folder, and its run on a machine that has enough of everything."""

    folder: Path
    fingerprint: dict[str, str]
    bytes: int

    @property
    def run(self) -> Path:
        """Return the undisturbed run."""
        return self.folder / "undisturbed"

    @classmethod
    def made(cls, folder: Path, employees: int) -> Study:
        """Make a project of two years and run it."""
        (folder / "planalign.yaml").write_text(_CONFIG)
        generate_census(employees, 7, folder / "census.parquet")
        done = planalign("simulate", "--output", "undisturbed", "--no-cache", cwd=folder)
        assert done.code == 0, done
        told = planalign("fingerprint", "undisturbed", "--json", cwd=folder)
        database = folder / "undisturbed" / "results.duckdb"
        return cls(folder, json.loads(told.out), database.stat().st_size)

    def copy(self, folder: Path) -> None:
        """Put configuration and census into another folder."""
        for name in ("planalign.yaml", "census.parquet"):
            shutil.copy2(self.folder / name, folder)

    def wait_for(self, partial: Path, kind: str, year: int | None = None) -> None:
        """Wait until an unfinished run has told of an event."""
        events, until = partial / "events.jsonl", time.monotonic() + LONGEST
        while time.monotonic() < until:
            lines = events.read_text(encoding="utf-8").split("\n")[:-1] if events.is_file() else []
            for event in map(json.loads, lines):
                if event["kind"] == kind and year in {None, event.get("year")}:
                    return
            time.sleep(0.01)
        raise AssertionError(f"{partial} never told {kind}")


@dataclass(frozen=True)
class Disk:
    """A tmpfs at `path`, in the mount namespace of a process of its own."""

    path: Path
    keeper: int

    @property
    def inside(self) -> list[str]:
        """Return the command that runs another one where the disk is mounted."""
        return [
            "nsenter", "--user", "--preserve-credentials", "--mount",
            "--target", str(self.keeper),
            # The working folder was looked up outside; inside there is more below it.
            "sh", "-c", 'cd "$0" && exec "$@"', str(self.path.parent),
        ]  # fmt: skip

    def planalign(self, *arguments: str, **variables: str) -> Said:
        """Run a planalign command in the folder that the disk is mounted in."""
        return planalign(*arguments, cwd=self.path.parent, before=self.inside, **variables)

    def mount(self, **options: str) -> None:
        """Mount the disk."""
        self._call("mount", "-t", "tmpfs", "-o", _options(options), "none", str(self.path))

    def change(self, **options: str) -> None:
        """Give the disk another size, or make it read-only, with what is on it."""
        self._call("mount", "-o", _options({"remount": "", **options}), str(self.path))

    def fill(self) -> None:
        """Let another program take what is free, also what becomes free meanwhile."""
        with (self.view / "filler").open("ab", buffering=0) as file:
            page = bytes(4096)
            try:
                while True:
                    file.write(page)
            except OSError:
                return

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.view / "filler").unlink()

    @property
    def view(self) -> Path:
        """Return where this process sees what is on the disk."""
        return Path(f"/proc/{self.keeper}/root{self.path}")

    def _call(self, *command: str) -> None:
        subprocess.run([*self.inside, *command], check=True, capture_output=True)


def _options(options: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" if value else name for name, value in options.items())


@contextmanager
def disk_at(path: Path) -> Iterator[Disk]:
    """Lend a disk, not mounted yet, at a folder that is made for it."""
    path.mkdir()
    with subprocess.Popen(
        [*_KEEPER, "echo ready; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        if keeper.stdout.readline() != "ready\n":
            assert keeper.stderr is not None
            raise OSError(f"no disk of its own for a test: {keeper.stderr.read().strip()}")
        try:
            yield Disk(path, keeper.pid)
        finally:
            keeper.stdin.close()
