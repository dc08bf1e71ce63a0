"""A transient fault costs another attempt, never a bit; a permanent one, none."""

from __future__ import annotations

import errno
import json
import threading

import duckdb
import pytest
from faulty import IO_ERROR, Fault, Faults, Heard, holding

from planalign.engine.database import Database, Settings
from planalign.engine.pipeline import Materialization, Model, Pipeline, Step
from planalign.engine.project import Project
from planalign.engine.retry import Policy, Retry
from planalign.engine.run_folder import RunFolder
from planalign.engine.runners.direct import DirectRunner
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.errors import EnvironmentFaultError, ExitCode, InterruptedRunError, ModelError
from planalign.record.telemetry import unheard
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, configuration, run_study

FEW = Policy(attempts=3)


def failing(*errors):
    """Return work that fails with each of the errors, then gives 'done'."""
    left = list(errors)

    def work():
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_waits_grow_up_to_a_longest_and_are_told():
    heard, waits = Heard(), []
    policy = Policy(attempts=6, first_wait=1.0, longest_wait=5.0)
    retry = Retry(heard, policy, waits.append)
    assert retry.run("work", failing(*[IO_ERROR] * 5), model="m") == "done"
    for wait, least in zip(waits, (1, 2, 4, 5, 5), strict=True):
        assert least <= wait <= least + 1
    told = heard.of("retried")
    assert [event["attempt"] for event in told] == [1, 2, 3, 4, 5]
    assert [event["wait_seconds"] for event in told] == [round(wait, 3) for wait in waits]
    assert {(event["what"], event["model"]) for event in told} == {("work", "m")}
    assert told[0]["error"] == str(IO_ERROR)


@pytest.mark.parametrize(
    "policy", [Policy(attempts=3), Policy(first_wait=8.0, longest_wait=8.0, seconds=5.0)]
)
def test_attempts_are_bounded_in_number_and_time(policy):
    waits = []
    with pytest.raises(duckdb.IOException) as caught:
        Retry(unheard, policy, waits.append).run("work", failing(*[IO_ERROR] * 99))
    assert caught.value is IO_ERROR
    assert len(waits) == (2 if policy.attempts == 3 else 0)


@pytest.mark.parametrize(
    "error",
    [
        duckdb.BinderException("Binder Error: no such column"),
        duckdb.ConstraintException("Constraint Error: not null"),
        duckdb.ConversionException("Conversion Error: x"),
        duckdb.OutOfMemoryException("Out of Memory Error: x"),
        duckdb.IOException("IO Error: No space left on device"),
        duckdb.PermissionException("Permission Error: x"),
        duckdb.FatalException("FATAL Error: database has been invalidated"),
        duckdb.InterruptException("INTERRUPT Error: Interrupted!"),
        PermissionError(errno.EACCES, "Permission denied"),
        ModelError("x"),
        KeyboardInterrupt(),
    ],
)
def test_a_permanent_error_is_raised_at_once_also_after_a_transient_one(error):
    for before in ([], [IO_ERROR]):
        waits = []
        with pytest.raises(type(error)):
            Retry(unheard, FEW, waits.append).run("work", failing(*before, error, error))
        assert len(waits) == len(before)


def test_a_run_that_is_stopped_waits_no_longer():
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(duckdb.InterruptException):
        Retry(unheard, Policy(first_wait=60, longest_wait=60, seconds=900), stopped=stopped).run(
            "work", failing(IO_ERROR)
        )


def test_a_lock_that_another_process_holds_for_a_while_is_waited_for(tmp_path):
    path = tmp_path / "results.duckdb"
    duckdb.connect(str(path)).close()
    heard = Heard()
    with holding(path) as let_go:
        machine = Faults().machine(sleep=lambda _: let_go())
        database = Database(path, Settings(1, "1GB"), heard, machine=machine)
        with database.cursor() as cursor:
            assert cursor.execute("select 1").fetchall() == [(1,)]
        database.release()
    (told,) = heard.of("retried")
    assert told["what"] == f"opening {path}"
    assert "Could not set lock" in told["error"]


def test_a_lock_that_stays_is_an_error_of_the_environment(tmp_path):
    path = tmp_path / "results.duckdb"
    duckdb.connect(str(path)).close()
    faults = Faults()
    database = Database(path, Settings(1, "1GB"), machine=faults.machine(), policy=FEW)
    with holding(path), pytest.raises(EnvironmentFaultError, match="Could not set lock") as caught:
        database.open()
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert "Close the program that holds the file" in str(caught.value)
    assert len(faults.waits) == 2


def test_a_half_opened_database_is_not_used(tmp_path):
    faults = Faults([Fault("set memory_limit", IO_ERROR)])
    database = Database(tmp_path / "results.duckdb", Settings(3, "1GB"), machine=faults.machine())
    database.create()
    with database.cursor() as cursor:
        assert cursor.execute("select current_setting('threads')").fetchall() == [(3,)]
    database.release()
    assert len(faults.raised) == 1


def test_an_unfinished_database_whose_functions_would_replace_duckdbs_is_refused(tmp_path):
    path = tmp_path / "results.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute('create macro "+"(a, b) as 7; create macro "||"(a, b) as 8')
        made.execute("create macro duckdb_functions() as table select 1 where false")
    database = Database(path, Settings(1, "1GB"))
    database.create()
    with pytest.raises(EnvironmentFaultError, match=r"holds what no run holds: macro \+"):
        database.open()


def test_an_unfinished_database_of_ours_goes_on_as_the_current_one(tmp_path):
    path = tmp_path / "results.duckdb"
    for _ in range(2):
        database = Database(path, Settings(1, "1GB"))
        database.create()
        with database.cursor() as cursor:
            cursor.execute("create or replace table inputs.kept as select 1 as a")
            assert cursor.execute("select current_database()").fetchall() == [("results",)]
        database.release()


def build(tmp_path, model, machine, tell=unheard):
    """Build one model in a new database; return the error, or its rows."""
    database = Database(
        tmp_path / "results.duckdb", Settings(2, "1GB"), tell, machine=machine, policy=FEW
    )
    database.create()
    runner = DirectRunner(Project.at(None), Pipeline("f", "f", (), (), (model,), ()), database)
    try:
        return database, list(runner.run_models((Step.EVENTS,)))
    finally:
        runner.close()


def test_a_model_in_conflict_with_another_transaction_is_built_when_that_has_ended(tmp_path):
    model = Model("int_a", Step.EVENTS, "a.sql", Materialization.TABLE, "select 1 as a", ())
    heard, other = Heard(), []

    def connect(path):
        connection = duckdb.connect(path)
        if path.endswith("results.duckdb"):
            other.append(connection.cursor())
            other[0].begin()
            other[0].execute("create or replace table int_a as select 2 as a")
        return connection

    machine = Faults().machine(connect=connect, sleep=lambda _: other[0].rollback())
    database, timings = build(tmp_path, model, machine, heard)
    assert [timing.name for timing in timings] == ["int_a"]
    with database.cursor() as cursor:
        assert cursor.execute("from int_a").fetchall() == [(1,)]
    database.release()
    (told,) = heard.of("retried")
    assert (told["model"], told["attempt"]) == ("int_a", 1)
    assert "conflict" in told["error"].lower()


@pytest.mark.parametrize(
    ("sql", "words"),
    [("select nothing from nowhere", "nowhere"), ("select 'x'::integer as a", "Conversion Error")],
)
def test_a_wrong_model_is_tried_once(tmp_path, sql, words):
    faults = Faults()
    model = Model("int_a", Step.EVENTS, "models/a.sql", Materialization.TABLE, sql, ())
    with pytest.raises(ModelError, match=words) as caught:
        build(tmp_path, model, faults.machine())
    assert "model int_a (models/a.sql) failed in the direct runner" in str(caught.value)
    assert len([s for s in faults.statements if "int_a" in s]) <= 1
    assert faults.waits == []


@pytest.fixture(scope="module")
def company(shared_studies):
    """A small study: its configuration, and the digests of its undisturbed run."""
    config = {
        "census": str(shared_studies.generated(60)),
        "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 2},
    }
    run = run_study(Request(configuration(config), output=shared_studies.new()))
    with open_run(run.path) as opened:
        return config, fingerprint(opened)


def simulate(company, output, faults, tell=None, **options):
    config, expected = company
    changes = options.pop("machine", {})
    done = run_study(
        Request(configuration(config), output=output, **options),
        tell,
        machine=faults.machine(**changes),
        policy=FEW,
    )
    with open_run(done.path) as run:
        assert fingerprint(run) == expected
    return done


FACT = '"results"."main"."fct_yearly_events"'


@pytest.mark.parametrize(
    "text",
    [
        f"delete from {FACT}",
        f"insert into {FACT}",
        "commit",
        'create or replace table "work"."main"."int_employment"',
        "insert into run_years",
        "update inputs.control",
        "set threads",
        "attach '",
        "read_csv(?",
    ],
)
def test_an_io_error_anywhere_leaves_the_bits_of_an_undisturbed_run(company, tmp_path, text):
    faults = Faults([Fault(text, IO_ERROR), Fault(text, IO_ERROR, spared=1)])
    done = simulate(company, tmp_path / "run", faults)
    events = [json.loads(line) for line in (done.path / "events.jsonl").open()]
    retried = [event for event in events if event["kind"] == "retried"]
    assert len(retried) == len(faults.raised) == len(faults.waits) >= 1


def test_a_fault_that_stays_ends_the_run_and_resume_goes_on(company, tmp_path):
    faults = Faults([Fault(f"insert into {FACT}", IO_ERROR, times=99, spared=1)])
    with pytest.raises(EnvironmentFaultError, match="fct_yearly_events") as caught:
        simulate(company, tmp_path / "run", faults)
    assert "--resume" in str(caught.value)
    assert len(faults.waits) == 2
    heard = Heard()
    simulate(company, tmp_path / "run", Faults(), heard, resume=True)
    assert [event["year"] for event in heard.of("year_completed")] == [2026]


def test_what_a_stopped_run_left_of_a_year_disturbs_no_smaller_block(company, tmp_path):
    snapshot = 'insert into "results"."main"."fct_workforce_snapshot"'
    faults = Faults([Fault(snapshot, IO_ERROR, times=99, spared=1)])
    with pytest.raises(EnvironmentFaultError):
        simulate(company, tmp_path / "run", faults)
    with duckdb.connect(str(tmp_path / "run.partial" / "results.duckdb")) as connection:
        years = "select distinct simulation_year from {} order by 1"
        events = connection.execute(years.format("fct_yearly_events")).fetchall()
        assert (events, connection.execute(years.format("run_years")).fetchall()) == (
            [(2025,), (2026,)],
            [(2025,)],
        )
    config, expected = company
    smaller = {**config, "resources": {"employees_per_block": 60}}, expected
    simulate(smaller, tmp_path / "run", Faults(), resume=True)


@pytest.mark.parametrize("kind", ["settle", "other"])
def test_a_fault_outside_the_models_is_no_traceback(company, tmp_path, kind):
    text = "insert into run_years" if kind == "settle" else "create schema if not exists inputs"
    faults = Faults([Fault(text, IO_ERROR, times=99)])
    with pytest.raises(EnvironmentFaultError):
        simulate(company, tmp_path / "run", faults)


def test_publishing_is_tried_again(company, tmp_path):
    rename = failing(OSError(errno.EIO, "Input/output error"))

    def renamed(old, new):
        rename()
        old.rename(new)

    heard = Heard()
    simulate(company, tmp_path / "run", Faults(), heard, machine={"rename": renamed})
    (told,) = heard.of("retried")
    assert told["what"] == f"publishing {tmp_path / 'run'}"


def test_a_run_that_cannot_be_named_is_kept(company, tmp_path):
    def refused(old, new):
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(EnvironmentFaultError, match="Permission denied"):
        simulate(company, tmp_path / "run", Faults(), machine={"rename": refused})
    heard = Heard()
    simulate(company, tmp_path / "run", Faults(), heard, resume=True)
    assert heard.of("year_started") == []


def test_stopped_with_its_name_a_run_is_finished(company, tmp_path):
    def renamed(old, new):
        old.rename(new)
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match="was finished"):
        simulate(company, tmp_path / "run", Faults(), machine={"rename": renamed})
    last = (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["kind"] == "run_completed"


def test_what_is_still_in_the_log_of_the_database_is_never_thrown_away(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.partial.mkdir()
    log = folder.partial / "results.duckdb.wal"
    log.write_bytes(b"rows")
    with pytest.raises(EnvironmentFaultError, match="not whole"):
        folder.publish(Retry(unheard))
    assert log.read_bytes() == b"rows"


def test_the_cache_is_read_and_written_again(company, tmp_path):
    eio = OSError(errno.EIO, "Input/output error")
    link, read = failing(eio), failing(eio)

    def linked(old, new):
        link()
        new.hardlink_to(old)

    def read_text(path):
        read()
        return path.read_text()

    cache = YearCache(tmp_path / "cache", CACHE_BYTES, link=linked, read_text=read_text)
    heard = Heard()
    simulate(company, tmp_path / "first", Faults(), heard, cache=cache)
    assert [event["what"] for event in heard.of("retried")] == ["the cache of years"]
    faults = Faults([Fault("as cached_0", IO_ERROR), Fault("from cached_0", IO_ERROR)])
    heard = Heard()
    simulate(company, tmp_path / "second", faults, heard, cache=cache)
    assert [event["year"] for event in heard.of("year_from_cache")] == [2025, 2026]
    assert [event["what"] for event in heard.of("retried")] == [
        "the cache of years",
        "the cache of 2025",
        "the cache of 2025",
    ]


def test_a_cache_that_cannot_be_used_stops_no_run(company, tmp_path):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    cache = YearCache(tmp_path / "cache", CACHE_BYTES, link=broken)
    heard = Heard()
    simulate(company, tmp_path / "first", Faults(), heard, cache=cache)
    assert "does not keep" in heard.of("warning")[-1]["message"]
    simulate(
        company, tmp_path / "second", Faults(), cache=YearCache(tmp_path / "cache", CACHE_BYTES)
    )
    cache = YearCache(tmp_path / "cache", CACHE_BYTES, read_text=broken)
    heard = Heard()
    simulate(company, tmp_path / "third", Faults(), heard, cache=cache)
    assert len(heard.of("cache_ignored")) == 1
