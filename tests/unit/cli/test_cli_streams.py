"""stdout, stderr, signals and modules of the working folder: what surrounds a command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from shutil import copyfile

import pytest

import planalign
from planalign.census import generate_census
from planalign.cli import console
from planalign.cli.output import emit
from planalign.cli.tables import print_table
from planalign.errors import UsageError
from planalign.results import open_run
from planalign.text import visible

RECORD = Path(__file__).parents[1] / "record" / "data" / "format-2.jsonl"
COMMAND = [sys.executable, "-P", "-m", "planalign"]
HOSTILE = "a\x1b[2J\x9b1A\u202eb\x07"


def started(*arguments: object, redirected: str = "", **variables: str) -> tuple[int, str, str]:
    """Run a command with its streams redirected by a shell; return code, stdout and stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirected}', "sh", *COMMAND, *map(str, arguments)],
        capture_output=True,
        env={**os.environ, **variables},
        check=False,
    )
    said = done.stderr.decode(variables.get("PYTHONIOENCODING", "utf-8"))
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    return done.returncode, done.stdout.decode(variables.get("PYTHONIOENCODING", "utf-8")), said


@pytest.fixture
def one_year(tmp_path):
    census = tmp_path / "census.parquet"
    generate_census(5, 1, census)
    return ["2025", "--census", census, "--cache-dir", tmp_path / "years"]


@pytest.fixture
def recorded(tmp_path):
    """A run with a record of models, which have a timeline."""
    (tmp_path / "run").mkdir()
    copyfile(RECORD, tmp_path / "run" / "events.jsonl")
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("redirected", "reason"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")]
)
@pytest.mark.parametrize("arguments", [["show"], ["fingerprint", "--json"], ["--help"]])
def test_results_that_cannot_be_written_are_told(run_path, arguments, redirected, reason):
    [name, *options] = arguments
    of = [] if name.startswith("-") else [run_path]
    code, _, said = started(name, *of, *options, redirected=redirected)
    assert code == 4
    assert said.startswith(f"Error: stdout cannot be written ({reason})")


def test_a_reader_that_is_gone_is_told(run_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "show", str(run_path)], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert done.returncode == 4
    assert done.stderr.startswith(b"Error: stdout cannot be written (Broken pipe)")


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
def test_what_stderr_does_not_take_changes_nothing(run_path, tmp_path, redirected):
    code, _, _ = started(
        "export", run_path, "--format", "csv", "--output", tmp_path / "out", redirected=redirected
    )
    assert code == 0
    assert (tmp_path / "out" / "fct_yearly_events.csv").is_file()
    assert started("show", "absent", redirected=redirected)[0] == 2


def test_a_run_that_cannot_be_printed_is_published_all_the_same(tmp_path, one_year):
    code, _, said = started("simulate", *one_year, "--output", tmp_path / "r", redirected=">&-")
    assert code == 4
    assert f"The run is complete: {tmp_path / 'r'}" in said
    assert "failed" not in said
    with open_run(tmp_path / "r") as run:
        assert run.years == [2025]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_any_encoding_will_do(recorded, encoding):
    code, printed, _ = started("profile", recorded, PYTHONIOENCODING=encoding)
    assert code == 0
    assert "# models  = tests" in printed
    code, _, said = started("show", "größe-日", PYTHONIOENCODING=encoding)
    assert code == 2
    assert r"\u65e5" in said


def test_names_that_are_not_utf_8_can_be_spoken_of():
    done = subprocess.run([*COMMAND, "show", b"\xff\x1b[2J"], capture_output=True, check=False)
    assert done.returncode == 2
    assert rb"There is no run folder \udcff\x1b[2J" in done.stderr


@pytest.mark.parametrize("name", ["\udcff", "a\\b", "a?b"])
def test_paths_that_duckdb_would_not_find_again_are_refused(tmp_path, one_year, name):
    code, _, said = started("simulate", *one_year, "--output", tmp_path / name)
    assert code == 2
    assert f"Error: {visible(str(tmp_path / name))} has " in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["census.parquet"]


def test_a_working_folder_that_is_gone_and_a_home_that_is_none(tmp_path, run_path, one_year):
    gone = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
    for arguments, code, words in (
        (["show", run_path], 0, ""),
        (["simulate", *one_year], 4, "the working folder is not there any more"),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", gone, tmp_path / "gone", *COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert words in done.stderr
    code, _, said = started("simulate", *one_year[:3], PLANALIGN_CACHE_DIR="~nobody-here/x")
    assert code == 4
    assert "Set PLANALIGN_CACHE_DIR" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--census", "x.csv", "--replicate", "2147483648"],
        ["census", "generate", "--output", "x.csv", "--employees", "9" * 20],
        ["compare", "absent", "--employees", "9" * 20],
        ["bench", "runners", "--sizes", "9" * 20],
    ],
)
def test_numbers_beyond_what_can_be_counted_are_usage(arguments, tmp_path):
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


# Signals: a command that waits, is interrupted, and cleans up as long as it is let.

WAITING = """\
import sys, time
import planalign.results
from planalign.cli import app

def wait(path):
    try:
        print("waiting", file=sys.stderr, flush=True)
        time.sleep(600)
    finally:
        print("cleaning", file=sys.stderr, flush=True)
        sys.stdin.readline()
        print("clean", file=sys.stderr, flush=True)

planalign.results.open_run = wait
sys.argv = ["planalign", "fingerprint", "run"]
app.main()
"""


@pytest.fixture
def waiting():
    with subprocess.Popen(
        [sys.executable, "-P", "-c", WAITING],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background ignores Ctrl-C, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        yield process
        process.kill()


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_the_second_does_not_end_the_cleaning(
    waiting, first, second
):
    waiting.send_signal(first)
    assert waiting.stderr.readline() == "cleaning\n"
    waiting.send_signal(second)
    _, said = waiting.communicate("go on\n")
    assert said == "clean\nInterrupted.\n"
    assert waiting.returncode == 130


def test_the_third_ctrl_c_ends_the_cleaning_too(waiting):
    waiting.send_signal(signal.SIGINT)
    assert waiting.stderr.readline() == "cleaning\n"
    while waiting.poll() is None:
        waiting.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            waiting.wait(0.02)
    assert waiting.returncode == 130
    assert waiting.stderr.read() == ""


# Where an interruption is lost, or ends Python in a way of its own.
AWKWARD = """\
import sys, time
import planalign.results
from planalign.cli import app

class Finalized:
    def __del__(self):
        {signal}

def wait(path):
    {begin}
    print("past it", file=sys.stderr, flush=True)
    time.sleep(60)

planalign.results.open_run = wait
sys.argv = ["planalign", "fingerprint", "run"]
app.main()
"""
RAISE = "import signal; signal.raise_signal(signal.SIGTERM)"


@pytest.mark.parametrize(
    ("begin", "said"),
    [
        (f"exec({RAISE!r})", "Interrupted.\n"),
        ("import swallows", "past it\nInterrupted.\n"),
        ("Finalized()", "past it\nInterrupted.\n"),
    ],
)
def test_a_signal_is_answered_wherever_it_comes(tmp_path, begin, said):
    (tmp_path / "awkward.py").write_text(AWKWARD.format(begin=begin, signal=RAISE))
    (tmp_path / "swallows.py").write_text(f"try:\n    {RAISE}\nexcept BaseException:\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "awkward"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, said)


def test_signals_that_the_caller_ignores_stay_ignored():
    code = (
        "import signal; from planalign.interruption import heed_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); heed_signals()\n"
        "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN\n"
        "assert callable(signal.getsignal(signal.SIGTERM))\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


# Modules: a folder of somebody else's, with files named as those that are imported.

MODULES = ("yaml", "json", "duckdb", "typer", "pydantic", "rich", "dbt")


@pytest.fixture
def hostile(tmp_path):
    for name in MODULES:
        code = f"open('executed-{name}', 'w')\nraise SystemExit(66)\n"
        (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "planalign.yaml").write_text("census: absent.csv\n")
    return tmp_path


def test_no_module_is_taken_from_the_working_folder(hostile):
    done = subprocess.run(
        [sys.executable, "-m", "planalign", "simulate"],
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, list(hostile.glob("executed-*"))) == (2, []), done.stderr


def test_every_python_that_is_started_leaves_the_working_folder_out():
    package = Path(planalign.__file__).parent
    for file in package.rglob("*.py"):
        for after in re.findall(r"sys\.executable,\s*(\S+)", file.read_text(encoding="utf-8")):
            assert after == '"-P",', file


# Text: what a file brought along never commands the terminal.


def test_what_does_not_print_is_shown_as_its_escape():
    assert visible(HOSTILE) == r"a\x1b[2J\x9b1A\u202eb\x07"
    assert visible("größe 日本 x\\y\n", keep="\n") == "größe 日本 x\\y\n"
    assert visible("\ud800\u200b\x85") == r"\ud800\u200b\x85"


def test_nothing_printed_commands_the_terminal(capsys):
    emit(f"{HOSTILE}\nsecond")
    print_table([HOSTILE], [[f"{HOSTILE}\nx"]], title=HOSTILE, caption=HOSTILE)
    console.say(HOSTILE)
    console.warn(HOSTILE)
    console.report(UsageError(HOSTILE, HOSTILE), debug=True)
    printed = "".join(capsys.readouterr())
    assert {c for c in printed if not c.isprintable()} == {"\n"}
    assert printed.count(visible(HOSTILE)) >= 9
