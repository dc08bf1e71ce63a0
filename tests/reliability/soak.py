"""Stop planalign at random instants, over and over, and check what it promises.

    python tests/reliability/soak.py [--seed S] [--only KIND] [--trial N]

A trial starts a command in a process of its own, stops it at an instant from a seeded generator,
checks what is left, and goes on with --resume, perhaps stopped again, until it is finished with
the bits of a run that nobody stopped. Prints a table; a broken promise is told with its seed,
instants and folder, which is kept, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from attempts import Attempt, Stop, run, temporary_files
from promises import (
    BrokenError,
    Undisturbed,
    check_cache,
    check_census,
    check_run,
    check_unfinished,
    require,
)

from planalign.census import generate_census
from planalign.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONFIG = """\
census: census.parquet
simulation: {{start_year: 2025, end_year: {last}, random_seed: 42}}
scenarios: {{baseline: {{}}, exact: {{workforce: {{alignment: exact}}}}}}
"""


@dataclass(frozen=True)
class Kind:
    """One way to stop one command.

    `stops` is how many the whole soak makes. `by_change` stops before a file change
    instead of at an instant: between two steps of publication no clock would hit.
    `seconds` says how long the command takes where it is too slow to be tried first.
    """

    name: str
    stops: int
    runner: str = "direct"
    signal: signal.Signals = signal.SIGKILL
    by_change: bool = False
    # Whether the signal is sent a second time while the first one is answered.
    is_twice: bool = False
    is_compiled: bool = True
    is_cached: bool = False
    employees: int = 100
    years: int = 3
    seconds: float | None = None
    census: str = ""
    # A command on a run that is there, instead of one that makes a run.
    command: tuple[str, ...] = ()
    # Stops of one trial, at most, before it may finish.
    most: int = 3
    # Processes that do blocks of one scenario each.
    workers: int = 1
    # Whether one of them is stopped, and not the command.
    of_worker: bool = False
    # Whether a later run takes its years from what the cache keeps after all that.
    then_cached: bool = False

    @property
    def study(self) -> tuple[object, ...]:
        """What a rehearsal depends on."""
        return (
            self.runner, self.is_compiled, self.is_cached,
            self.employees, self.years, self.seconds, self.census, self.command, self.workers,
        )  # fmt: skip


EXPORT = ("export", "run", "--format", "csv", "--output", "exported")
VERIFY = ("verify", "--against", "run")

# Seconds, about, that a command takes to clean up.
LONGEST_CLEANING = 0.2

KINDS = (
    Kind("direct, any instant", 70),
    Kind("direct, file changes", 40, by_change=True, then_cached=True),
    Kind("direct, years from the cache", 15, is_cached=True),
    Kind("direct, models being compiled", 5, is_compiled=False),
    Kind("direct, Ctrl-C", 25, signal=signal.SIGINT),
    Kind(
        "direct, Ctrl-C at file changes",
        15,
        signal=signal.SIGINT,
        by_change=True,
        then_cached=True,
    ),
    Kind("direct, Ctrl-C twice", 15, signal=signal.SIGINT, is_twice=True),
    Kind("direct, SIGTERM", 10, signal=signal.SIGTERM),
    Kind("direct, SIGHUP", 10, signal=signal.SIGHUP),
    Kind("workers, any instant", 20, workers=2),
    Kind("workers, one of them killed", 10, workers=2, of_worker=True),
    Kind("workers, Ctrl-C", 10, signal=signal.SIGINT, workers=2),
    Kind("batch, any instant", 10, runner="batch", years=2),
    Kind("batch, Ctrl-C", 4, runner="batch", years=2, signal=signal.SIGINT),
    Kind("batch, SIGTERM", 3, runner="batch", years=2, signal=signal.SIGTERM),
    Kind("legacy, any instant", 2, runner="legacy", employees=20, years=1, seconds=120),
    Kind("census, Parquet", 20, census="census.parquet", employees=50_000),
    Kind("census, CSV", 15, census="census.csv", employees=50_000),
    Kind("census, file changes", 4, census="census.csv", employees=1_000, by_change=True),
    Kind("census, SIGTERM", 5, census="census.csv", employees=50_000, signal=signal.SIGTERM),
    Kind("export, any instant", 8, command=EXPORT),
    Kind("export, file changes", 6, command=EXPORT, by_change=True),
    Kind("export, SIGTERM", 6, command=EXPORT, signal=signal.SIGTERM),
    Kind("export, Ctrl-C twice", 6, command=EXPORT, signal=signal.SIGINT, is_twice=True),
    Kind("verify, any instant", 8, command=VERIFY),
    Kind("verify, SIGHUP", 6, command=VERIFY, signal=signal.SIGHUP),
)
SHORT = (
    Kind("direct, any instant", 6, years=2, most=6),
    Kind("direct, file changes", 4, years=2, most=6, by_change=True),
    Kind("export, file changes", 4, years=2, most=4, command=EXPORT, by_change=True),
    Kind("export, SIGTERM", 2, years=2, most=2, command=EXPORT, signal=signal.SIGTERM),
)


@dataclass
class Tally:
    """What became of the stops of a kind."""

    kind: str
    stops: int = 0
    survived: int = 0
    resumed: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rehearsal:
    """What a kind's command does when nobody stops it."""

    project: Path
    seconds: float
    changes: int
    run: Undisturbed | None = None
    census: bytes = b""


@dataclass
class Trial:
    """One command, stopped until it is finished."""

    kind: Kind
    rehearsal: Rehearsal
    folder: Path
    seed: str
    tally: Tally
    instants: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        drawn = self.draw.randint(1, self.kind.most)
        self.wanted = min(drawn, self.kind.stops - self.tally.stops)

    def stop(self, output: str) -> tuple[Attempt, Stop]:
        """Start the command and stop it at a random instant."""
        kind, draw = self.kind, self.draw
        if kind.by_change:
            stop = Stop(kind.signal, change=self._change())
        else:
            seconds = draw.uniform(0, self.rehearsal.seconds)
            again = draw.uniform(0, LONGEST_CLEANING) if kind.is_twice else None
            stop = Stop(kind.signal, seconds=seconds, again=again, of_worker=kind.of_worker)
        self.instants.append(str(stop))
        attempt = run(self.folder, _arguments(kind, output), stop)
        self.wanted -= attempt.stopped
        self.tally.stops += attempt.stopped
        return attempt, stop

    def _change(self) -> int:
        """Return the next file change to stop at; the first ones of all trials cover every one."""
        seed, _, number = self.seed.rpartition("/")
        every = list(range(1, self.rehearsal.changes + 1))
        if self.instants:
            return self.draw.choice(every)
        random.Random(seed).shuffle(every)
        return every[int(number) % len(every)]

    def finish(self, output: str) -> None:
        """Start the command and let it end."""
        attempt = run(self.folder, _arguments(self.kind, output))
        require(attempt.code == 0, f"undisturbed, it exits with {attempt.code}:\n{attempt.said}")


def soak(kinds: Sequence[Kind], seed: int, folder: Path, trial: int | None = None) -> list[Tally]:
    """Make the stops of every kind, or one trial of it, and return what became of them."""
    tallies = []
    rehearsals: dict[tuple[object, ...], Rehearsal] = {}
    for number, kind in enumerate(kinds):
        started = time.perf_counter()
        tally = Tally(kind.name)
        place = folder / str(number)
        if kind.study not in rehearsals:
            rehearsals[kind.study] = _rehearse(kind, place)
        for one in range(kind.stops * 5) if trial is None else [trial]:
            if tally.stops >= kind.stops:
                break
            _try(
                Trial(
                    kind,
                    rehearsals[kind.study],
                    place / str(one),
                    f"{seed}/{kind.name}/{one}",
                    tally,
                )
            )
        tally.seconds = time.perf_counter() - started
        tallies.append(tally)
        print(row(tally), flush=True)
    return tallies


def row(tally: Tally) -> str:
    """Return a line of the table."""
    return (
        f"| {tally.kind:30} | {tally.stops:5} | {tally.survived:8} | {tally.resumed:7} "
        f"| {tally.seconds:7.0f} |"
    )


def head() -> str:
    """Return the first lines of the table."""
    names = f"| {'kind':30} | kills | survived | resumed | seconds |"
    return f"{names}\n|{'-' * 32}|------:|---------:|--------:|--------:|"


def total(tallies: Sequence[Tally]) -> Tally:
    """Add up the tallies."""
    return Tally(
        "all",
        sum(one.stops for one in tallies),
        sum(one.survived for one in tallies),
        sum(one.resumed for one in tallies),
        sum(one.seconds for one in tallies),
    )


def _try(trial: Trial) -> None:
    """Make one trial, and clear it away unless a promise was broken."""
    try:
        if trial.kind.census:
            _try_census(trial)
        elif trial.kind.command:
            _try_command(trial)
        else:
            _try_run(trial)
    except Exception as error:  # noqa: BLE001 - told with all that it takes to repeat it
        what = "" if isinstance(error, BrokenError) else traceback.format_exc()
        seed, _, number = trial.seed.split("/")
        trial.tally.broken.append(
            f"BROKEN: {error}\n  stopped by {'; '.join(trial.instants)}\n  kept in {trial.folder}\n"
            f"  again: --seed {seed} --only {trial.kind.name!r} --trial {number}\n{what}"
        )
        print(trial.tally.broken[-1], file=sys.stderr, flush=True)
    else:
        shutil.rmtree(trial.folder)
        trial.folder.with_name(f"{trial.folder.name}.said").unlink()


def _try_run(trial: Trial) -> None:
    expected = trial.rehearsal.run
    require(expected is not None, "there is no run to compare with")
    _make_project(trial.kind, trial.folder, trial.rehearsal.project)
    output, partial = trial.folder / "run", trial.folder / "run.partial"
    was_unfinished = False
    while trial.wanted and not output.exists():
        before = _events(partial)
        attempt, stop = trial.stop("run")
        _check_ending(attempt, stop, output, has_begun=_events(partial) > before)
        if output.exists():
            check_run(output, expected)
        else:
            was_unfinished = True
            check_unfinished(partial, expected)
        check_cache(trial.folder / "cache")
        trial.tally.survived += attempt.stopped
    if not output.exists():
        trial.finish("run")
        check_run(output, expected)
        _check_nothing_left(trial.folder)
    require(not partial.exists(), f"{partial} is still there")
    trial.tally.resumed += was_unfinished
    if trial.kind.then_cached:
        trial.finish("later")
        check_run(trial.folder / "later", expected)


def _try_census(trial: Trial) -> None:
    trial.folder.mkdir(parents=True)
    name = trial.kind.census
    census = trial.folder / name
    was_unfinished = False
    while trial.wanted and not census.exists():
        attempt, stop = trial.stop(name)
        check_census(census, trial.rehearsal.census)
        _check_cleaned(attempt, stop, trial.folder)
        was_unfinished |= not census.exists()
        trial.tally.survived += attempt.stopped
    if not census.exists():
        trial.finish(name)
        check_census(census, trial.rehearsal.census)
        _check_nothing_left(trial.folder)
        there = {path.name for path in trial.folder.iterdir()}
        require(there == {name, "temporary"}, f"beside the census are {there}")
        trial.tally.resumed += was_unfinished


def _try_command(trial: Trial) -> None:
    """Stop a command on a run: what it makes is whole or not there, and nothing is left."""
    _make_project(trial.kind, trial.folder, trial.rehearsal.project)
    made = trial.folder / "exported"
    was_unfinished = False
    while trial.wanted:
        attempt, stop = trial.stop("")
        require(attempt.stopped or attempt.code == 0, f"exit code {attempt.code}:\n{attempt.said}")
        if made.exists():
            _check_whole(made, trial.rehearsal.project / made.name)
            shutil.rmtree(made)
        else:
            was_unfinished = True
        _check_cleaned(attempt, stop, trial.folder)
        trial.tally.survived += attempt.stopped
    trial.finish("")
    _check_nothing_left(trial.folder)
    trial.tally.resumed += was_unfinished


def _check_whole(made: Path, expected: Path) -> None:
    """What was exported has the files, and the bytes in all, of an undisturbed export."""
    there, whole = (
        {path.relative_to(one): path.stat().st_size for path in one.rglob("*") if path.is_file()}
        for one in (made, expected)
    )
    require(there == whole, f"{made} is not whole")


def _check_cleaned(attempt: Attempt, stop: Stop, folder: Path) -> None:
    """A signal that can be answered is, with 130, and leaves nothing."""
    if not attempt.stopped or stop.signal is signal.SIGKILL:
        return
    require(attempt.code in {130, -stop.signal, 0}, f"exit code {attempt.code}:\n{attempt.said}")
    require("Traceback" not in attempt.said, attempt.said)
    if attempt.code == ExitCode.INTERRUPTED:
        _check_nothing_left(folder)


def _check_nothing_left(folder: Path) -> None:
    """No scratch folder is left, of this command or of one that was killed before it."""
    left = [*temporary_files(folder).glob("planalign-*"), *folder.rglob(".planalign-*")]
    require(not left, f"these are left: {left}")


def _check_ending(attempt: Attempt, stop: Stop, output: Path, *, has_begun: bool) -> None:
    """An attempt ends well, or as the signal asks; Ctrl-C in a run says how to go on."""
    if not attempt.stopped:
        require(attempt.code == 0, f"exit code {attempt.code}:\n{attempt.said}")
        return
    if stop.signal is signal.SIGKILL:
        return
    # Python itself ends by the signal while it is importing: 130 for a shell. A
    # command that has published its run may end well all the same.
    allowed = {130} if has_begun else {130, 0} if output.exists() else {130, -stop.signal}
    require(attempt.code in allowed, f"Ctrl-C gives exit code {attempt.code}:\n{attempt.said}")
    _check_cleaned(attempt, stop, output.parent)
    if has_begun or output.exists():
        is_told = f"--resume --output {output}" in attempt.said
        require(is_told is has_begun, f"Ctrl-C does not say what to do:\n{attempt.said}")


def _events(partial: Path) -> int:
    """Return how much an unfinished run has told of itself."""
    events = partial / "events.jsonl"
    return events.stat().st_size if events.is_file() else 0


def _rehearse(kind: Kind, place: Path) -> Rehearsal:
    """Run a kind's command undisturbed, timed, with its file changes written down."""
    project, log = place / "undisturbed", place / "changes"
    if kind.census:
        project.mkdir(parents=True)
        first = run(project, _arguments(kind, kind.census), log=log)
        require(first.code == 0, first.said)
        census = (project / kind.census).read_bytes()
        return Rehearsal(project, first.seconds, _lines(log), census=census)
    _make_project(kind, project, None)
    if kind.command:
        made = run(project, ["simulate", "--output", "run", "--no-cache"])
        require(made.code == 0, made.said)
        first = run(project, list(kind.command), log=log)
        require(first.code == 0, first.said)
        return Rehearsal(project, first.seconds, _lines(log))
    # A direct run gives the bits that every runner must give.
    first = run(project, _arguments(kind, "first", runner="direct"), log=log)
    require(first.code == 0, first.said)
    seconds = kind.seconds or first.seconds
    if kind.is_cached or kind.workers > 1 or (kind.runner == "batch" and not kind.seconds):
        second = run(project, _arguments(kind, "second"))
        require(second.code == 0, second.said)
        seconds = second.seconds
    return Rehearsal(project, seconds, _lines(log), run=Undisturbed.of(project / "first"))


def _make_project(kind: Kind, folder: Path, like: Path | None) -> None:
    """Make the folder that a command runs in, as the one `like` it was."""
    folder.mkdir(parents=True)
    (folder / "planalign.yaml").write_text(_CONFIG.format(last=2024 + kind.years))
    if not kind.is_compiled:
        (folder / "compiled").mkdir()
    if like is None:
        generate_census(kind.employees, 7, folder / "census.parquet")
        return
    shutil.copy2(like / "census.parquet", folder)
    if kind.command:
        shutil.copytree(like / "run", folder / "run")
    if kind.is_cached:
        shutil.copytree(like / "cache", folder / "cache")


def _arguments(kind: Kind, output: str, runner: str | None = None) -> list[str]:
    if kind.command:
        return list(kind.command)
    if kind.census:
        return ["census", "generate", "--employees", str(kind.employees), "--output", output]
    return [
        "simulate", "--output", output, "--resume", "--runner", runner or kind.runner,
        "--cache-dir", "cache", "--workers", str(1 if runner else kind.workers),
    ]  # fmt: skip


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines())


def main() -> int:
    """Run the soak and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="KIND", help="kinds whose name begins with it")
    parser.add_argument("--trial", type=int, metavar="N", help="only this trial, from 0")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if kind.name.startswith(options.only or "")]
    folder = Path(tempfile.mkdtemp(prefix="planalign-soak-"))
    print(f"seed {options.seed}\n\n{head()}")
    tallies = soak(kinds, options.seed, folder, options.trial)
    print(row(total(tallies)))
    if any(tally.broken for tally in tallies):
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
