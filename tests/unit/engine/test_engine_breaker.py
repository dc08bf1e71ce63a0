"""Short of memory, a run does less at once; the bits stay, and only then does it fail."""

from __future__ import annotations

import json

import duckdb
import pytest
from faulty import Fault, Faults, Heard

from planalign.engine.breaker import BESIDE_THE_LIMIT, lighten, pressure, relieve
from planalign.engine.database import Database, Settings
from planalign.engine.retry import Policy
from planalign.errors import EnvironmentFaultError, ExitCode, MemoryFaultError
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, configuration, run_study

OUT_OF_MEMORY = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block")
LIMIT = 10**9


@pytest.fixture
def database(tmp_path):
    heard = Heard()
    made = Database(tmp_path / "results.duckdb", Settings(4, "1GB", {"events": 2}), heard)
    made.create()
    yield made
    made.release()


def test_first_one_model_at_a_time_then_one_thread():
    settings = Settings(4, "1GB", {"events": 2})
    alone = settings.lighter()
    assert (alone.threads, alone.models_of("events"), alone.models_of("snapshot")) == (4, 1, 1)
    assert alone.lighter() == Settings(1, "1GB", {"events": 2}, alone=True)
    assert alone.lighter().lighter() is None
    assert Settings(1, "1GB").lighter().lighter() is None


def test_two_models_that_fail_together_give_up_one_thing(database):
    full = database.settings
    assert lighten(database, "model a", full)
    assert lighten(database, "model b", full)
    assert database.settings == full.lighter()
    assert lighten(database, "model a", database.settings)
    with database.cursor() as cursor:
        assert cursor.execute("select current_setting('threads')").fetchall() == [(1,)]
    assert not lighten(database, "model a", database.settings)
    told = database.tell.of("breaker_tripped")
    assert [event["action"] for event in told] == [
        "goes on with one model at a time",
        "goes on with one thread",
    ]
    assert len(database.tell.of("warning")) == 2


@pytest.mark.parametrize(("share", "is_near"), [(0.5, False), (0.94, False), (0.97, True)])
def test_memory_near_the_limit_is_pressure(tmp_path, share, is_near):
    resident = int(BESIDE_THE_LIMIT + share * LIMIT)
    machine = Faults().machine(resident_bytes=lambda: resident)
    database = Database(tmp_path / "results.duckdb", Settings(2, "1GB"), Heard(), machine=machine)
    database.create()
    assert (pressure(database, LIMIT) is not None) is is_near
    assert relieve(database, LIMIT) is None
    assert database.settings.alone is is_near
    database.release()


def test_pages_that_can_be_dropped_are_no_pressure(tmp_path):
    resident = BESIDE_THE_LIMIT + LIMIT
    machine = Faults().machine(resident_bytes=lambda: resident)
    database = Database(tmp_path / "results.duckdb", Settings(2, "1GB"), Heard(), machine=machine)
    database.create()
    with database.cursor() as cursor:
        cursor.execute("create table t as select hash(range) as a from range(10000000)")
    database.release()
    with database.cursor() as cursor:
        cursor.execute("select sum(a) from t").fetchall()
    assert pressure(database, LIMIT) is None
    database.release()


@pytest.fixture(scope="module")
def company(shared_studies):
    """A small study: its configuration, and the digests of its undisturbed run."""
    config = {
        "census": str(shared_studies.generated(60)),
        "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 4},
        "resources": {"threads": 2},
    }
    run = run_study(Request(configuration(config), output=shared_studies.new()))
    with open_run(run.path) as opened:
        return config, fingerprint(opened)


def simulate(company, output, tell=None, faults=None, *, machine=None, resources=None, **options):
    sections, expected = company
    more = {**sections["resources"], **(resources or {})}
    config = configuration({**sections, "resources": more})
    done = run_study(
        Request(config, output=output, **options),
        tell,
        machine=(faults or Faults()).machine(**(machine or {})),
        policy=Policy(attempts=3),
    )
    with open_run(done.path) as run:
        assert fingerprint(run) == expected
    return done


MODEL = 'table "work"."main"."int_plan_contributions"'
ALONE, ONE_THREAD = "goes on with one model at a time", "goes on with one thread"


@pytest.mark.parametrize(
    ("times", "actions"),
    [
        (1, [ALONE]),
        (2, [ALONE, ONE_THREAD]),
        (3, [ALONE, ONE_THREAD, "takes its trajectories 2 at a time"]),
        (
            4,
            [
                ALONE,
                ONE_THREAD,
                "takes its trajectories 2 at a time",
                "takes its trajectories 1 at a time",
            ],
        ),
    ],
)
def test_a_model_short_of_memory_is_built_with_less_at_once(company, tmp_path, times, actions):
    # In the second year, so that a complete one lies behind it.
    faults = Faults([Fault(MODEL, OUT_OF_MEMORY, times=times, spared=1)])
    heard = Heard()
    done = simulate(company, tmp_path / "run", heard, faults)
    told = heard.of("breaker_tripped")
    assert [event["action"] for event in told] == actions
    assert all("int_plan_contributions" in event["reason"] for event in told)
    assert [event["message"] for event in heard.of("warning")] == [
        f"{event['reason']}; the run {event['action']}. The result is the same." for event in told
    ]
    events = [json.loads(line) for line in (done.path / "events.jsonl").open()]
    assert [e for e in events if e["kind"] == "breaker_tripped"] != []
    # No complete year was computed twice, and none is missing from what is returned.
    assert [result.year for result in done.years][:2] == [2025, 2026]
    assert len(heard.of("year_completed")) == len(done.years)
    assert heard.of("retried") == []


def test_checks_short_of_memory_repeat_their_year(company, tmp_path):
    faults = Faults([Fault("as failures", OUT_OF_MEMORY, spared=30)])
    heard = Heard()
    simulate(company, tmp_path / "run", heard, faults)
    assert len(faults.raised) == 1
    assert [event["action"] for event in heard.of("breaker_tripped")] == [ALONE]


def test_memory_that_never_suffices_is_told_with_what_was_tried(company, tmp_path):
    faults = Faults([Fault(MODEL, OUT_OF_MEMORY, times=99, spared=1)])
    with pytest.raises(MemoryFaultError) as caught:
        simulate(company, tmp_path / "run", faults=faults)
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    for word in ("int_plan_contributions", "one model", "one thread", "4GB", "memory_limit"):
        assert word in str(caught.value).replace("only model", "one model")
    assert len(faults.raised) <= 6
    assert faults.waits == []
    heard = Heard()
    simulate(company, tmp_path / "run", heard, resume=True)
    assert [event["year"] for event in heard.of("year_completed")] == [2026]


def test_pressure_makes_later_blocks_smaller_and_fails_nothing(company, tmp_path):
    heard = Heard()
    machine = {"resident_bytes": lambda: 10**12}
    simulate(
        company, tmp_path / "run", heard, machine=machine, resources={"employees_per_block": 120}
    )
    assert [event["action"] for event in heard.of("breaker_tripped")] == [
        ALONE,
        ONE_THREAD,
        "takes its trajectories 1 at a time",
    ]
    assert [event["blocks"] for event in heard.of("run_planned")] == [2, 3]


def test_with_a_real_limit_too_small_for_one_employee(company, tmp_path):
    config, _ = company
    config = configuration({**config, "resources": {"memory_limit": "20MB", "threads": 2}})
    with pytest.raises(EnvironmentFaultError, match=r"(?i)memory") as caught:
        run_study(Request(config, output=tmp_path / "run"))
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert "memory_limit" in str(caught.value)


def test_a_real_limit_that_holds_a_part_of_the_trajectories(studies):
    config = {
        "census": str(studies.generated(800)),
        "simulation": {"start_year": 2025, "end_year": 2025, "replicates": 32},
    }
    run = run_study(Request(configuration(config), output=studies.new()))
    heard = Heard()
    few = {"memory_limit": "56MB", "threads": 2, "employees_per_block": 10**9}
    request = Request(configuration({**config, "resources": few}), output=studies.new())
    with open_run(run.path) as whole, open_run(run_study(request, heard).path) as parts:
        assert fingerprint(parts) == fingerprint(whole)
    assert heard.of("breaker_tripped") != []


def test_a_census_too_large_for_the_memory_is_not_called_damaged(studies):
    census = studies.generated(300_000)
    config = {"census": str(census), "resources": {"memory_limit": "12MB", "threads": 1}}
    with pytest.raises(MemoryFaultError) as caught:
        run_study(Request(configuration(config), output=studies.new()))
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert str(census) in str(caught.value)
    assert "memory_limit" in str(caught.value)
