"""A study with a column, a parameter and models of its own: what they change, and its proof."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import duckdb
import pytest
from typer.testing import CliRunner, Result

from planalign.census import generate_census
from planalign.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("dbt_is_warm")

CONFIG = """\
census: census.parquet
census_columns: {site: SITE}
extra_columns: {site: text}
models: models
parameters: {factor: 1.5}
simulation: {start_year: 2025, end_year: 2025}
scenarios: {baseline: {}, growth: {workforce: {target_growth_rate: 0.1}}}
"""
MODELS = {
    "fct_sites.sql": """\
select
    snapshot.scenario_id,
    snapshot.replicate,
    snapshot.simulation_year,
    coalesce(snapshot.site, 'none') as site,
    (count(*) * any_value(factor.number))::decimal(18, 2) as weight
from {{ ref("fct_workforce_snapshot") }} as snapshot
inner join {{ ref("int_trajectories") }} as trajectories
    on
        snapshot.scenario_id = trajectories.scenario_id
        and snapshot.replicate = trajectories.replicate
inner join {{ parameter("factor") }} as factor
    on trajectories.trajectory_id = factor.trajectory_id
where snapshot.simulation_year = {{ year_in_hand() }}
group by all
""",
    "fct_sites.yml": """\
models:
  - name: fct_sites
    description: One row per scenario, replicate, year and site.
    config: {meta: {key: [scenario_id, replicate, simulation_year, site]}}
    columns:
      - {name: scenario_id, data_type: VARCHAR, description: Scenario.}
      - {name: replicate, data_type: INTEGER, description: Replicate.}
      - {name: simulation_year, data_type: INTEGER, description: Year.}
      - {name: site, data_type: VARCHAR, description: Site.}
      - {name: weight, data_type: "DECIMAL(18,2)", description: Weighed employees.}
""",
    "macros/own_hazards.sql": """\
{% macro own_hazard_factors() %}
    {%- do return({"voluntary": "case when aged.site = 'North' then 3 else 1 end"}) -%}
{% endmacro %}
""",
    "rules/assert_sites_are_named.sql": (
        "select * from {{ ref('fct_sites') }} where site is null\n"
    ),
}


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that was simulated."""
    folder = tmp_path_factory.mktemp("study")
    generate_census(60, 3, folder / "plain.parquet")
    with duckdb.connect() as connection:
        rows = connection.sql(
            "select *, if(row_number() over () % 2 = 0, 'North', 'South') as SITE "
            f"from '{folder / 'plain.parquet'}'"
        )
        rows.write_parquet(str(folder / "census.parquet"))
    for name, text in MODELS.items():
        (folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "models" / name).write_text(text)
    (folder / "models" / "README.md").write_text(f"In {folder}.\n")
    (folder / "planalign.yaml").write_text(CONFIG)
    config = ("--config", folder / "planalign.yaml")
    done = planalign("simulate", *config, "--output", folder / "run", "--no-cache")
    assert done.exit_code == 0, done.stderr
    return folder


def test_a_pack_proves_it_in_another_folder(study, tmp_path, monkeypatch):
    pack = tmp_path / "study.zip"
    done = planalign("pack", study / "run", "--output", pack)
    assert done.exit_code == 0, done.stderr
    content = pack.read_bytes()
    assert str(study).encode() not in content
    with zipfile.ZipFile(pack) as archive:
        assert {*archive.namelist()} == {
            "config.yaml", "fingerprints.json", "pack.json", "provenance.json",
            *(f"models/{name}" for name in MODELS),
        }  # fmt: skip
    census = shutil.copy(study / "census.parquet", tmp_path)
    away = study.rename(tmp_path / "away")
    try:
        monkeypatch.chdir(tmp_path)
        done = planalign("verify", "--against", "study.zip", "--census", census, "--json")
    finally:
        away.rename(study)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["identical"], document["changes"]) == (True, [])
    assert "fct_sites" in document["fingerprint_b"]


def test_models_that_have_changed_are_not_packed(study, tmp_path):
    run = shutil.copytree(study / "run", tmp_path / "run")
    record = json.loads((run / "provenance.json").read_text())
    record["fingerprints"]["models"] = "0" * 64
    (run / "provenance.json").write_text(json.dumps(record))
    refused = planalign("pack", run, "--output", tmp_path / "x.zip")
    assert refused.exit_code == 2
    assert "what is there of models is not what" in refused.stderr


def test_the_difference_that_its_own_models_make_is_told(study, tmp_path):
    arguments = (
        "model", "diff", "2025", "--config", study / "planalign.yaml", "--scenario", "baseline",
        "--cache-dir", tmp_path,
    )  # fmt: skip
    shown = planalign(*arguments)
    assert shown.exit_code == 0, shown.stderr
    head, _, sums = shown.stdout.partition("A is the study without them, B with them.")
    assert head.splitlines() == [
        "New:", "  fct_sites.sql", "  fct_sites.yml", "  rules/assert_sites_are_named.sql",
        "In the place of a packaged one:", "  macros/own_hazards.sql",
        "Columns of the census: site (text)",
    ]  # fmt: skip
    assert "fct_workforce_snapshot, column site: absent in A, VARCHAR in B" in sums
    assert max(map(len, sums.splitlines())) <= 100
    assert "no model reads" not in shown.stderr  # of the side without

    again = planalign(*arguments, "--json")
    assert "from cache" in again.stderr
    document = json.loads(again.stdout)
    assert list(document) == ["files", "extra_columns", "identical", "marts"]
    assert [one["path"] for one in document["files"] if one["takes_place"]] == [
        "macros/own_hazards.sql"
    ]
    assert document["extra_columns"] == {"site": "text"}
    marts = {one["mart"]: one for one in document["marts"]}
    assert marts["fct_sites"]["only_in"] == "b"
    assert "termination" in {one["event_type"] for one in marts["fct_yearly_events"]["event_types"]}


def test_a_study_with_nothing_of_its_own_is_refused(tmp_path):
    generate_census(5, 1, tmp_path / "census.parquet")
    (tmp_path / "planalign.yaml").write_text("parameters: {factor: 1}\n")
    refused = planalign("model", "diff", "--config", tmp_path / "planalign.yaml")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "no models and no census columns of its own" in refused.stderr
