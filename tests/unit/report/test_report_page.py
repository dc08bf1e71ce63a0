"""Words, tiles and the policy of the report, without a browser."""

import base64
import hashlib
import re

import pytest
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.errors import InputError, UsageError
from planalign.profile.analysis import analyse
from planalign.record.record import DbtCommand, ModelRun, Record, Session, YearRun
from planalign.report import words
from planalign.report.build import write_report
from planalign.report.page import page, policy
from planalign.report.tiles import tiles_of

runner = CliRunner()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0.0, "0 ms"), (0.0123, "12.3 ms"), (0.0994, "99.4 ms"), (0.0996, "0.10 s"),
        (9.994, "9.99 s"), (75.04, "75.0 s"), (150, "2 min 30 s"), (3725, "1 h 02 min"),
    ],
)  # fmt: skip
def test_seconds_have_the_digits_that_a_reader_needs(value, text):
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (606_000_000, "606 MB"),
     (4_000_000_000, "4 GB"), (12_340_000_000, "12.3 GB"), (-2_000_000, "-2 MB")],
)  # fmt: skip
def test_sizes_are_in_powers_of_ten(value, text):
    assert words.size(value) == text


def test_the_policy_names_the_digest_of_each_script_and_style():
    def digest(text):
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    found = policy(["a()", "b()"], ["c{}"])
    assert f"script-src 'sha256-{digest('a()')}' 'sha256-{digest('b()')}';" in found
    assert f"style-src 'sha256-{digest('c{}')}';" in found
    assert found.startswith("default-src 'none';")


def test_what_is_there_is_not_overwritten(tmp_path):
    taken = tmp_path / "taken.html"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists"):
        write_report(tmp_path, taken)
    assert taken.read_text(encoding="utf-8") == "mine"
    with pytest.raises(UsageError, match="There is no folder"):
        write_report(tmp_path, tmp_path / "none" / "report.html")


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(InputError, match="record"):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_the_command_writes_a_page_of_its_own(studies, tmp_path):
    run = studies.simulate(studies.generated(40), simulation={"start_year": 2025, "end_year": 2025})
    output = tmp_path / "report.html"
    done = runner.invoke(app, ["report", str(run.path), "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert str(output) in done.stderr
    content = output.read_text(encoding="utf-8")
    head, _, rest = content.partition("<script>")
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", head) == []
    scripts = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        named = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"sha256-{named}" in head.replace("&#43;", "+").replace("&#39;", "'")
    assert rest


def test_an_employee_is_nowhere_on_the_page(studies, tmp_path):
    run = studies.simulate(studies.generated(40), simulation={"start_year": 2025, "end_year": 2025})
    output = tmp_path / "report.html"
    write_report(run.path, output)
    content = output.read_text(encoding="utf-8")
    ids = run.sql("select distinct employee_id from fct_workforce_snapshot").fetchall()
    assert [one for (one,) in ids if one in content] == []


@pytest.mark.parametrize(("runner", "overhead"), [("batch", 6.0), ("legacy", 3.0)])
def test_dbt_commands_have_the_overhead_that_the_analysis_tells(runner, overhead):
    command = DbtCommand(
        "dbt run", 0.0, 10.0, "MainThread", nodes=2, dbt_compile_seconds=1.0,
        dbt_execute_seconds=6.0,
    )  # fmt: skip
    models = tuple(
        ModelRun(name, 4.0, 8.0, thread, 2025, 1, "events")
        for name, thread in (("int_a", "Thread-1"), ("int_b", "Thread-2"))
    )
    record = Record(
        2, runner, 2025, 2025, 1, sessions=(Session(0.0, 10.0, 1.8e9, "completed"),),
        models=models, dbt_commands=(command,),
    )  # fmt: skip
    analysis = analyse(record)
    content = page(record, analysis, (), None, name="run", without_results="None.")
    [row] = re.findall(r'<tr><th scope="row">dbt run</th>(.*?)</tr>', content)
    assert re.findall(r"<td>(.*?)</td>", row) == [
        "1", "2", "10.0 s", "1.00 s", "6.00 s", words.seconds(analysis.dbt_seconds["overhead"]),
    ]  # fmt: skip
    assert analysis.dbt_seconds["overhead"] == pytest.approx(overhead)


def test_years_from_the_cache_are_on_their_tile():
    years = (
        YearRun(2025, 1, 3, 0.0, 1.0, is_from_cache=True, saved_seconds=4.0),
        YearRun(2026, 1, 3, 1.0, 5.0),
    )
    session = Session(0.0, 5.0, 1.8e9, "completed")
    record = Record(2, "direct", 2025, 2026, 3, sessions=(session,), years=years)
    tiles = {tile.key: tile for tile in tiles_of(record, analyse(record))}
    assert tiles["cache-hit-rate"].value == pytest.approx(0.5)
    assert tiles["cache-hit-rate"].note == "1 year taken, saved 4.00 s"


def test_peak_memory_over_the_budget_is_a_bad_verdict():
    model = ModelRun("int_a", 0.0, 1.0, "model_0", 2025, 1, "events", memory_peak=5_000_000_000)
    session = Session(0.0, 5.0, 1.8e9, "completed")
    record = Record(2, "direct", 2025, 2026, 3, sessions=(session,), models=(model,))
    tiles = {tile.key: tile for tile in tiles_of(record, analyse(record))}
    assert tiles["peak-memory"].verdict == "bad"
    assert tiles["peak-memory"].note == "over the budget of 4 GB: 125 % of it"
