"""A group of models that fails is built model by model; dbt is a stand-in, DuckDB is real."""

from __future__ import annotations

import os
from types import SimpleNamespace

import duckdb
import pytest
from faulty import Faults, Heard, holding

from planalign.engine.database import Database, Settings
from planalign.engine.pipeline import Materialization, Model, Pipeline, Step
from planalign.engine.project import Project
from planalign.engine.retry import Policy
from planalign.engine.runners.batch import BatchRunner
from planalign.errors import EnvironmentFaultError, MemoryFaultError, ModelError

IO_ERROR = 'IO Error: Could not write file "results.duckdb": Input/output error'
OUT_OF_MEMORY = "Out of Memory Error: could not allocate block"


def model(name, *needs, sql="select 1 as a"):
    return Model(name, Step.EVENTS, f"models/{name}.sql", Materialization.TABLE, sql, needs)


class Dbt:
    """Runs models as dbt does: goes on after a failure, and skips what needs the failed one."""

    def __init__(self, pipeline, failures):
        self.models = {model.name: model for model in pipeline.models}
        self.failures = failures
        self.commands = []

    def invoke(self, command):
        if command[0] == "parse":
            return SimpleNamespace(exception=None, result="manifest")
        names = command[command.index("--select") + 1 : command.index("--project-dir")]
        threads = command[command.index("--threads") + 1]
        self.commands.append((names, threads, os.environ["PLANALIGN_DUCKDB_THREADS"]))
        unbuilt, results = set(), []
        for name in names:
            status, message = self.build(self.models[name], unbuilt)
            if status != "success":
                unbuilt.add(name)
            results.append(
                SimpleNamespace(
                    node=SimpleNamespace(name=name),
                    status=status,
                    message=message,
                    execution_time=0.1,
                    thread_id="Thread-1",
                    failures=None,
                    timing=[],
                )
            )
        return SimpleNamespace(exception=None, result=results)

    def build(self, model, unbuilt):
        if unbuilt & set(model.depends_on):
            return "skipped", "skipped"
        failures = self.failures.get(model.name, [])
        if failures:
            return "error", f"Runtime Error in model {model.name} (x)\n  {failures.pop(0)}"
        try:
            with duckdb.connect(os.environ["PLANALIGN_DATABASE"]) as connection:
                for statement in model.statements():
                    connection.execute(statement)
        except duckdb.Error as error:
            return "error", f"Runtime Error in model {model.name} (x)\n  {error}"
        return "success", "OK"


class Case:
    """Three models, of which the last two need the first, in one group."""

    def __init__(self, folder, failures=None, second="select 1 as a", **machine):
        self.faults, self.heard = Faults(), Heard()
        models = (model("int_a"), model("int_b", "int_a", sql=second), model("int_c", "int_a"))
        pipeline = Pipeline("f", "f", (), (), models, ())
        self.dbt = Dbt(pipeline, failures or {})
        self.database = Database(
            folder / "results.duckdb",
            Settings(4, "1GB"),
            self.heard,
            machine=self.faults.machine(**machine),
            policy=Policy(attempts=3),
        )
        self.database.create()
        project = Project.at(None)
        self.runner = BatchRunner(project, pipeline, self.database, lambda manifest: self.dbt)

    def run(self):
        return [timing.name for timing in self.runner.run_models((Step.EVENTS,))]

    @property
    def commands(self):
        return [names for names, *_ in self.dbt.commands]


def test_a_group_without_a_fault_is_one_command(tmp_path):
    case = Case(tmp_path)
    assert case.run() == ["int_a", "int_b", "int_c"]
    assert case.commands == [["int_a", "int_b", "int_c"]]
    assert [event["kind"] for event in case.heard] == ["dbt_command_completed"] * 2


def test_the_error_names_the_one_model_that_fails(tmp_path):
    case = Case(tmp_path, second="select nothing from nowhere")
    with pytest.raises(ModelError) as caught:
        case.run()
    for words in ("model int_b", "models/int_b.sql", "batch runner", "nowhere"):
        assert words in str(caught.value)
    # What was built is not built again, what is broken not tried a third time.
    assert case.commands == [["int_a", "int_b", "int_c"], ["int_b"]]
    assert case.heard.of("group_failed")[0]["models"] == ["int_b"]
    assert case.faults.waits == []


def test_what_follows_a_passing_failure_is_built_in_its_order(tmp_path):
    case = Case(tmp_path, {"int_a": [IO_ERROR]})
    assert case.run() == ["int_a", "int_b", "int_c"]
    assert case.commands == [["int_a", "int_b", "int_c"], ["int_a"], ["int_b"], ["int_c"]]
    assert case.heard.of("group_failed")[0]["models"] == ["int_a", "int_b", "int_c"]


def test_a_model_is_tried_a_bounded_number_of_times(tmp_path):
    case = Case(tmp_path, {"int_a": [IO_ERROR] * 99})
    with pytest.raises(EnvironmentFaultError, match="int_a"):
        case.run()
    assert len(case.commands) == 1 + 3
    assert [event["model"] for event in case.heard.of("retried")] == ["int_a", "int_a"]


def test_a_lock_of_another_process_is_waited_for(tmp_path):
    path = tmp_path / "results.duckdb"
    duckdb.connect(str(path)).close()
    with holding(path) as let_go:
        case = Case(tmp_path, sleep=lambda _: let_go())
        assert case.run() == ["int_a", "int_b", "int_c"]
    (told,) = case.heard.of("retried")
    assert told["model"] == "int_a"
    assert "Could not set lock" in told["error"]


def test_short_of_memory_models_run_alone_then_on_one_thread(tmp_path):
    case = Case(tmp_path, {"int_b": [OUT_OF_MEMORY, OUT_OF_MEMORY]})
    assert case.run() == ["int_a", "int_c", "int_b"]
    assert case.dbt.commands == [
        (["int_a", "int_b", "int_c"], "4", "4"),
        (["int_b"], "1", "4"),
        (["int_b"], "1", "1"),
    ]
    assert len(case.heard.of("breaker_tripped")) == 2


def test_memory_that_does_not_suffice_is_left_to_the_study(tmp_path):
    case = Case(tmp_path, {"int_b": [OUT_OF_MEMORY] * 99})
    with pytest.raises(MemoryFaultError, match=r"model int_b \(models/int_b.sql\)"):
        case.run()
    assert len(case.commands) == 3


def test_a_dbt_that_runs_nothing_is_tried_model_by_model(tmp_path):
    case = Case(tmp_path)
    broken = SimpleNamespace(exception=RuntimeError("dbt is confused"), result=None)
    case.dbt.invoke = lambda command: broken
    with pytest.raises(ModelError, match=r"int_a.*dbt is confused"):
        case.run()
