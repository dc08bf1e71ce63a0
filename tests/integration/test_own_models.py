"""What a project of the user's own may state, every runner does alike; and what a change costs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planalign.engine import compiler
from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.errors import InputError
from planalign.marts.packaged import PACKAGED
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, configuration, provenance_of, run_study

if TYPE_CHECKING:
    from planalign.results import Run

pytestmark = pytest.mark.usefixtures("dbt_is_warm")

PAGE = (Path(__file__).parents[2] / "docs/how-to/change-a-model.md").read_text(encoding="utf-8")
SIMULATION = {"start_year": 2025, "end_year": 2026}
INDEX = "\n{{ config(indexes=[{'columns': ['trajectory_id', 'employee_key']}]) }}\n"
IS_THERE = """\
select {{ ref('int_hiring_events') }}.trajectory_id from {{ ref('int_hiring_events') }}
where (
    select count(*) from duckdb_indexes() where table_name = 'int_hiring_events'
) <> 1
limit 1
"""
# Everyday dbt: tests wherever they are, on a source too, a model switched off, macros.
OWN = {
    "tests/validation/assert_indexed.sql": IS_THERE,
    "tests/assert_at_the_top.sql": "select * from {{ ref('int_twice') }} where twice < 2\n",
    "tests/events/assert_in_a_folder.sql": (
        "select 1 as a from {{ ref('int_twice') }} where false\n"
    ),
    "models/events/int_off.sql": "{{ config(enabled=false) }}\nselect 1 as a\n",
    "models/events/int_twice.sql": (
        "select {{ twice(one()) }} as twice, * from {{ ref('int_hiring_events') }}\n"
    ),
    "macros/own.sql": (
        "{% macro twice(x) %}({{ x }} * 2){% endmacro %}\n"
        "{% macro one() %}{{ adapter.dispatch('one')() }}{% endmacro %}\n"
        "{% macro default__one() %}1{% endmacro %}\n"
    ),
}
MART = "fct_headcount_by_department"
# The mart of docs/how-to/change-a-model.md, and its query.
HEADCOUNT = """\
select
    scenario_id,
    replicate,
    simulation_year,
    coalesce(department, 'none') as department,
    count(*)::integer as headcount
from {{ in_hand("fct_workforce_snapshot") }}
where employment_status = 'active'
group by all
"""
TESTS = {
    f"unique_key_{MART}_",
    "assert_indexed",
    "assert_at_the_top",
    "assert_in_a_folder",
    "source_not_null_inputs_control_simulation_year",
}


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("runner", ["direct", "batch"])
def test_what_is_taken_of_dbt_is_done_each_year_and_changes_no_bit(studies, runner):
    census = studies.generated(60)
    project = studies.new()
    shutil.copytree(PACKAGED, project)
    with (project / "models/events/int_hiring_events.sql").open("a") as file:
        file.write(INDEX)
    for name, text in OWN.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    [declaration] = re.findall(r"```yaml\n(models:\n  - name: fct_.*?)```", PAGE, re.DOTALL)
    (project / f"models/snapshot/{MART}.yml").write_text(declaration)
    (project / f"models/snapshot/{MART}.sql").write_text(HEADCOUNT)
    changed(
        project / "models/sources.yml",
        "description: The year in hand.}",
        "description: The year in hand., data_tests: [not_null]}",
    )
    config = {"census": str(census), "simulation": SIMULATION, "dbt_project": str(project)}
    heard = []
    done = run_study(
        Request(configuration(config), output=studies.new(), runner=runner),
        lambda kind, **details: heard.append((kind, details)),
    )
    ran = [
        (details["year"], details["test"]) for kind, details in heard if kind == "test_completed"
    ]
    assert {one for one in ran if one[1] in TESTS} == {(y, t) for y in (2025, 2026) for t in TESTS}
    plain = studies.simulate(census, simulation=SIMULATION)
    with open_run(done.path) as own:
        digests = fingerprint(own)
        assert digests.pop(MART)
        assert {**digests, "all": ""} == {**fingerprint(plain), "all": ""}
        # Everybody who reads the run knows the mart, as the page says.
        assert own.key(MART) == ("scenario_id", "replicate", "simulation_year", "department")
        assert [*own.sheets.items()][-1] == ("Headcount by department", MART)
        assert own.ordered(MART).fetchall() == sorted(own.relation(MART).fetchall())
        assert described(own)[MART, "headcount"] == "Active employees on December 31."
        # With any runner the same is said of the marts, and of what they are computed from.
        assert {key: text for key, text in described(own).items() if key[0] != MART} == described(
            plain
        )
        assert [own.sql("from dim_run").columns, own.key("dim_run")] == [
            plain.sql("from dim_run").columns,
            ("run_id",),
        ]
        rows = [
            run.sql("select * exclude (run_id, models_fingerprint) from dim_run").fetchall()
            for run in (own, plain)
        ]
        assert rows[0] == rows[1]


def described(run: Run) -> dict[tuple[str, str | None], str]:
    """Return the comments of all tables and columns of a run."""
    return {
        (table, column): comment
        for table, column, comment in run.sql(
            "select table_name, null, comment from duckdb_tables() where comment is not null "
            "union all select table_name, column_name, comment from duckdb_columns() "
            "where comment is not null"
        ).fetchall()
    }


class Analyst:
    """Changes a copy of the models, and simulates a study with it without dbt."""

    def __init__(self, studies, folder: Path) -> None:
        self.project = shutil.copytree(PACKAGED, folder / "models")
        self.cache = YearCache(folder / "cache", CACHE_BYTES)
        self._studies = studies
        config = {"census": str(studies.generated(30)), "simulation": SIMULATION}
        self.config = configuration({**config, "dbt_project": str(self.project)})

    def run(self) -> list[bool]:
        """Simulate; say of each year whether it came from the cache."""
        request = Request(self.config, output=self._studies.new(), cache=self.cache)
        done = run_study(request)
        self.last = done.path
        return [result.is_from_cache for result in done.years]

    @property
    def fingerprints(self) -> dict[str, str]:
        return provenance_of(Request(self.config))["fingerprints"]


@pytest.fixture
def analyst(studies, tmp_path, monkeypatch):
    """An analyst whose project was compiled before the first change."""
    found = Analyst(studies, tmp_path)
    pipeline = pipeline_for(Project.at(None))
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(tmp_path / "compiled"))
    monkeypatch.setattr(compiler, "SHIPPED", tmp_path / "pipeline.json")
    pipeline.save(compiler.SHIPPED)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("dbt was started"))
    return found


def test_what_reaches_no_sql_is_not_compiled_and_throws_no_year_away(analyst):
    before = analyst.fingerprints
    assert analyst.run() == [False, False]
    project = analyst.project
    changed(project / "models/snapshot/snapshot.yml", "description: ", "description: Of old. ")
    changed(
        project / "models/events/unit_tests/int_deferrals.yml",
        "unit_tests:",
        "\n# Why.\nunit_tests:\n",
    )
    changed(project / "macros/arithmetic.sql", "{#", "{# Here:")
    with (project / "models/events/unit_tests/int_deferrals.yml").open("a") as file:
        file.write("\n")
    assert analyst.fingerprints == before
    assert analyst.run() == [True, True]
    with open_run(analyst.last) as run:
        assert described(run)["fct_workforce_snapshot", None].startswith("Of old. ")


def test_a_changed_reference_table_is_checked_and_needs_no_dbt(analyst):
    before = analyst.fingerprints
    assert analyst.run() == [False, False]
    table = analyst.project / "seeds" / "retirement_hazards.csv"
    header, *rows, last = table.read_text().splitlines()
    table.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(InputError, match=r"retirement_hazards\.csv"):
        analyst.run()
    table.write_text("\n".join([header, *rows, f"{last.rpartition(',')[0]},0.123"]) + "\n")
    after = analyst.fingerprints
    assert [name for name in before if after[name] != before[name]] == ["reference_tables"]
    assert analyst.run() == [False, False]
