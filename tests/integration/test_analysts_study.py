"""What an analyst adds to a study agrees everywhere, and is refused where it is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from planalign.census import generate_census
from planalign.cli.app import app
from planalign.config import load
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.errors import InputError, InterruptedRunError, ModelError, ProjectError, UsageError
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, provenance_of, run_study
from planalign.study.reproduction import reproduce

pytestmark = pytest.mark.usefixtures("dbt_is_warm")

CONFIG = """\
census: census.parquet
extra_columns: {location: text, grade: integer}
models: models
parameters: {moving_rate: {2025: 0.3, 2026: 0.2}, hub: Austin, most_moves: 1000}
simulation: {start_year: 2025, end_year: 2026, replicates: 2}
scenarios:
  base: {}
  still: {parameters: {moving_rate: 0}}
"""
MODELS = {
    "macros/own_decisions.sql": (
        '{% macro own_decisions() %}{%- do return(["moving"]) -%}{% endmacro %}\n'
    ),
    "macros/own_events.sql": """\
{% macro own_events() %}
    {%- do return([
        event(
            "moving", 1001, "int_moves", "moving_date", "moves to the hub",
            level=level_on("moving_date"), pay=pay_on("moving_date"),
            payload=[event_value("to", "VARCHAR", "hub", "where to")],
        ),
    ]) -%}
{% endmacro %}
""",
    "macros/own_hazards.sql": """\
{% macro own_hazard_factors() %}
    {%- do return({"voluntary": "case when aged.location = 'Denver' then 1.4 else 1 end"}) -%}
{% endmacro %}
""",
    "events/int_moves.sql": """\
with drawn as (
    select * from {{ with_draws(ref("int_employment"), ["moving"]) }}
    where coalesce(location, '') <> 'Austin'
),

placed as (
    select
        drawn.*,
        make_date({{ year_in_hand() }}, 7, 1) as moving_date,
        hub.text as hub
    from drawn
    inner join {{ parameter("hub", "text") }} as hub on drawn.trajectory_id = hub.trajectory_id
    inner join {{ parameter("moving_rate") }} as rate on drawn.trajectory_id = rate.trajectory_id
    where drawn.draw_moving < rate.number
)

select * from placed where moving_date between first_day and last_day
""",
    "fct_location_costs.sql": """\
select
    scenario_id,
    replicate,
    simulation_year,
    coalesce(location, 'none') as location,
    count(*)::integer as headcount,
    sum(grade)::bigint as grades
from {{ in_hand("fct_workforce_snapshot") }}
group by all
""",
    "fct_location_costs.yml": """\
models:
  - name: fct_location_costs
    description: Headcount by location.
    config:
      meta:
        key: [scenario_id, replicate, simulation_year, location]
        sheet: {title: Locations, place: 60}
    columns:
      - {name: scenario_id, data_type: VARCHAR, description: Scenario.}
      - {name: replicate, data_type: INTEGER, description: Replicate.}
      - {name: simulation_year, data_type: INTEGER, description: Year.}
      - {name: location, data_type: VARCHAR, description: Location.}
      - {name: headcount, data_type: INTEGER, description: Employees of the year.}
      - {name: grades, data_type: BIGINT, description: Sum of grades.}
    data_tests:
      - unique_key
""",
    "rules/assert_few_move.sql": """\
select events.employee_id
from {{ ref("fct_yearly_events") }} as events
cross join (select max(number) as most from {{ parameter("most_moves") }}) as allowed
where events.simulation_year = {{ year_in_hand() }} and events.event_type = 'moving'
qualify count(*) over () > allowed.most
""",
}


class Study:
    """A folder with a configuration, its census and its models, and runs of it."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = YearCache(cache, CACHE_BYTES)
        self._runs = 0

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            file = self.folder / "models" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def new(self) -> Path:
        self._runs += 1
        return self.folder / "runs" / str(self._runs)

    def request(self, changes: dict[str, Any] | None = None, **details: Any) -> Request:
        config = load(self.folder / "planalign.yaml", changes or {})
        return Request(config, output=self.new(), **details)

    def run(self, changes: dict[str, Any] | None = None, **details: Any) -> Path:
        return run_study(self.request(changes, **details)).path

    def cached(self, changes: dict[str, Any] | None = None) -> list[bool]:
        """Simulate with the cache of years; say of each year whether it came from there."""
        years = run_study(self.request(changes, cache=self.cache)).years
        return [one.is_from_cache for one in years]

    def copy(self, folder: Path) -> Study:
        """Return the study in another folder, without its runs."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("runs"))
        copied = Study(folder, folder)
        copied.cache = self.cache
        return copied


def digests(run: Path) -> dict[str, str]:
    with open_run(run) as opened:
        return fingerprint(opened)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("own") / "study"
    folder.mkdir()
    generate_census(60, 5, folder / "plain.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select *, case hash(employee_id) % 3 when 0 then 'Denver' when 1 then "
            "'Austin' end as location, job_level * 3 as grade "
            f"from '{folder}/plain.parquet') to '{folder}/census.parquet' (format parquet)"
        )
    (folder / "planalign.yaml").write_text(CONFIG)
    made = Study(folder, folder.parent / "cache")
    made.write(MODELS)
    return made


@pytest.fixture(scope="module")
def run(study: Study) -> Path:
    """The study as it is, in one block, by `direct`; the cache of years keeps it."""
    return study.run({"resources": {"threads": 2}}, cache=study.cache)


@pytest.mark.parametrize(
    "how",
    [
        {"resources": {"threads": 1}},
        {"resources": {"employees_per_block": 1, "threads": 2}},
        {"resources": {"workers": 2}},
    ],
)
def test_threads_blocks_and_workers_change_no_bit(
    study: Study, run: Path, how: dict[str, Any]
) -> None:
    assert digests(study.run(how)) == digests(run)


def test_batch_gives_the_same_bits(study: Study) -> None:
    one = {"simulation": {"end_year": 2025, "replicates": 1}}
    assert digests(study.run(one, runner="batch")) == digests(study.run(one))


def test_the_other_duckdb_gives_the_same_bits(study: Study, run: Path) -> None:
    other = Path(sys.prefix) / "other-duckdb"
    assert (other / "duckdb").is_dir(), f"{other} is missing: `make test` installs it"
    output = study.new()
    path = os.pathsep.join([str(other), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "planalign", "simulate", "--no-cache", "--output", str(output)],
        cwd=study.folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert digests(output) == digests(run)


def test_a_stopped_run_goes_on_to_the_same_bits(study: Study, run: Path, tmp_path: Path) -> None:
    request = study.copy(tmp_path / "moved").request()

    def stop(kind: str, **details: Any) -> None:
        if kind == "year_completed" and details["year"] == 2025:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        run_study(request, stop)
    # Not with another value, which the years that are complete do not have.
    other = load(
        tmp_path / "moved/planalign.yaml",
        {"scenarios": {"base": {"parameters": {"hub": "Denver"}}}},
    )
    with pytest.raises(UsageError):
        run_study(replace(request, config=other, resume=True))
    # Moved, it is the same study.
    (tmp_path / "moved").rename(tmp_path / "elsewhere")
    output = tmp_path / "elsewhere/runs/1"
    config = load(tmp_path / "elsewhere/planalign.yaml")
    done = run_study(replace(request, config=config, output=output, resume=True))
    assert digests(done.path) == digests(run)


def test_years_of_the_cache_are_those_of_the_same_study(
    study: Study, run: Path, tmp_path: Path
) -> None:
    moved = study.copy(tmp_path / "moved")
    assert moved.cached() == [True, True]
    later = {"parameters": {"moving_rate": {2025: 0.3, 2026: 0.25}}}
    assert moved.cached(later) == [True, False]
    assert moved.cached({"parameters": {"hub": "Boulder"}}) == [False, False]
    (tmp_path / "moved/models/fct_location_costs.sql").write_text(
        MODELS["fct_location_costs.sql"].replace("sum(grade)", "-- In all.\nsum(grade)")
    )
    assert moved.cached() == [True, True]


def test_a_changed_model_or_type_is_another_study(study: Study, run: Path, tmp_path: Path) -> None:
    changed = study.copy(tmp_path / "changed")
    text = MODELS["fct_location_costs.sql"].replace("sum(grade)", "max(grade)")
    changed.write({"fct_location_costs.sql": text})
    config = (changed.folder / "planalign.yaml").read_text()
    (changed.folder / "planalign.yaml").write_text(config.replace("integer", "number"))
    text = MODELS["fct_location_costs.yml"].replace("BIGINT", '"DECIMAL(18,6)"')
    changed.write(
        {
            "fct_location_costs.yml": text,
            "fct_location_costs.sql": MODELS["fct_location_costs.sql"].replace(
                "bigint", "decimal(18, 6)"
            ),
        }
    )
    assert changed.cached() == [False, False]
    found = provenance_of(changed.request())["fingerprints"]
    before = provenance_of(study.request())["fingerprints"]
    assert {name for name in found if found[name] != before[name]} == {"configuration", "models"}


def test_a_run_is_reproduced_from_what_it_wrote_down(
    study: Study, run: Path, tmp_path: Path
) -> None:
    assert reproduce(run).identical
    moved = tmp_path / "moved"
    shutil.copytree(study.folder, moved)
    alone = tmp_path / "alone"
    shutil.copytree(run, alone)
    text = (alone / "config.yaml").read_text()
    (alone / "config.yaml").write_text(text.replace(str(study.folder), str(tmp_path / "gone")))
    with pytest.raises(UsageError, match=r"gone/census\.parquet|gone/models"):
        reproduce(alone)
    again = reproduce(alone, config=moved / "planalign.yaml")
    assert again.identical
    assert not again.changes


def test_the_column_is_in_every_output(study: Study, run: Path, tmp_path: Path) -> None:
    with open_run(run) as opened:
        types = dict(
            opened.sql(
                "select column_name, column_type from (describe fct_workforce_snapshot)"
            ).fetchall()
        )
        [(given, hires)] = opened.sql(
            "select count(location), count(location) filter (employee_id like 'H%')"
            " from fct_workforce_snapshot"
        ).fetchall()
        [(id_, replicate, payload)] = opened.sql(
            "select employee_id, replicate, event_payload::varchar from fct_yearly_events"
            " where event_type = 'moving' order by all limit 1"
        ).fetchall()
        moves = opened.sql(
            "select distinct scenario_id from fct_yearly_events where event_type = 'moving'"
        ).fetchall()
    assert (types["location"], types["grade"]) == ("VARCHAR", "BIGINT")
    assert given > hires > 0
    assert payload == '{"to":"Austin"}'
    assert moves == [("base",)]
    assert {"fct_location_costs", "fct_workforce_snapshot"} <= digests(run).keys()

    def planalign(*arguments: object) -> str:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        assert done.exit_code == 0, done.output
        return done.output

    for kind in ("csv", "parquet", "xlsx"):
        output = tmp_path / (f"out.{kind}" if kind == "xlsx" else kind)
        planalign("export", run, "--format", kind, "--output", output)
    header = next(csv.reader((tmp_path / "csv/fct_workforce_snapshot.csv").open()))
    assert {"location", "grade"} <= set(header)
    with duckdb.connect() as connection:
        for mart in ("fct_workforce_snapshot", "fct_location_costs"):
            path = f"{tmp_path}/parquet/{mart}"
            rows = connection.execute(f"describe from '{path}/**/*.parquet'").fetchall()
            assert "location" in {row[0] for row in rows}
    with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
        assert 'name="Locations"' in book.read("xl/workbook.xml").decode()
    timeline = planalign(
        "employee", run, id_, "--scenario", "base", "--replicate", replicate, "--json"
    )
    assert '"location": ' in timeline
    assert '"moving"' in timeline
    text = planalign("employee", run, id_, "--scenario", "base", "--replicate", replicate)
    assert re.search(r"^department [^,]+, location \w+, grade \d+$", text, re.MULTILINE)
    with open_run(run) as opened:
        by_group = opened.sql(
            "select dimension, sum(headcount) from fct_plan_costs_by_group group by 1 order by 1"
        ).fetchall()
    assert {name for name, _ in by_group} >= {"age_band", "location", "grade"}
    assert len({headcount for _, headcount in by_group}) == 1
    census = study.folder / "census.parquet"
    told = planalign("census", "check", census, "--config", study.folder / "planalign.yaml")
    assert "Denver" in io.StringIO(told).read()


def test_the_record_names_the_studys_own_files(study: Study, run: Path) -> None:
    record = (run / "events.jsonl").read_text()
    assert str(study.folder / "models/fct_location_costs.sql") in record
    assert '"models/events/int_employment.sql"' in record


def test_a_rule_that_finds_rows_names_its_file_and_keeps_the_years_before(study: Study) -> None:
    strict = {"parameters": {"most_moves": {2025: 1000, 2026: 0}}}
    with pytest.raises(ModelError, match="The years before are complete") as caught:
        study.run(strict)
    assert f"({study.folder / 'models/rules/assert_few_move.sql'})" in str(caught.value)
    assert str(caught.value).startswith("2026: ")


def test_a_parameter_is_given_and_of_its_kind_in_every_scenario(study: Study) -> None:
    wrong = {"parameters": {"hub": 7, "spare": 1}, "scenarios": {"still": {"parameters": {}}}}
    wrong["scenarios"]["still"] = {"parameters": {"moving_rate": {2025: 0, 2026: "none"}}}
    with pytest.raises(InputError) as caught:
        study.run(wrong)
    told = {
        (one.file, one.line, one.message.rpartition(" scenario ")[2].split()[0])
        for one in caught.value.problems
    }
    file = str(study.folder / "models/events/int_moves.sql")
    assert told == {(file, 12, "base"), (file, 12, "still"), (file, 13, "still")}
    said: list[str] = []
    run_study(
        study.request({"parameters": {"spare": 1}, "simulation": {"end_year": 2025}}),
        lambda kind, **details: said.append(details["message"]) if kind == "warning" else None,
    )
    assert "no model reads the parameter spare" in said


def test_mistakes_in_sound_templates_are_told_with_file_and_line(
    study: Study, tmp_path: Path
) -> None:
    wrong = study.copy(tmp_path / "wrong")
    wrong.write(
        {
            "fct_location_costs.sql": MODELS["fct_location_costs.sql"].replace(
                "sum(grade)", "sum(graded)"
            ),
            "fct_all.sql": "select scenario_id\nfrom {{ ref('fct_workforce_snapshot') }}\n",
            "fct_all.yml": "models:\n  - name: fct_all\n    config: {meta: {key: [scenario_id]}}\n"
            "    columns:\n      - {name: scenario_id, data_type: VARCHAR}\n",
            "fct_typed.sql": "select scenario_id, 1 as a from {{ ref('int_trajectories') }}\n",
            "fct_typed.yml": "models:\n  - name: fct_typed\n    config:\n"
            "      meta: {key: [scenario_id]}\n    columns:\n"
            "      - {name: scenario_id, data_type: VARCHAR}\n      - {name: a, data_type: DATE}\n",
            "events/int_chance.sql": "select\n    random() as a,\n    now() as b\n",
        }
    )
    with pytest.raises(ProjectError) as caught:
        provenance_of(wrong.request())
    told = {
        (str(Path(one.file or "").relative_to(wrong.folder / "models")), one.line)
        for one in caught.value.problems
        if str(wrong.folder) in (one.file or "")
    }
    assert told == {
        ("fct_location_costs.sql", 7),
        ("fct_all.sql", 2),
        ("fct_typed.yml", 7),
        ("events/int_chance.sql", 2),
        ("events/int_chance.sql", 3),
    }
    assert "cache" not in str(caught.value)


def test_an_event_with_a_number_of_ours_is_told_where_it_is_declared(
    study: Study, tmp_path: Path
) -> None:
    wrong = study.copy(tmp_path / "wrong")
    wrong.write({"macros/own_events.sql": MODELS["macros/own_events.sql"].replace("1001", "3")})
    with pytest.raises(ProjectError) as caught:
        provenance_of(wrong.request())
    [problem] = caught.value.problems
    assert (problem.file, problem.line) == (
        str(wrong.folder / "models/macros/own_events.sql"),
        4,
    )
