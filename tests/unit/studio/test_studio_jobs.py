"""What a form may ask for, and the processes that come of it."""

from __future__ import annotations

import json
import os
import signal
import sys
from textwrap import dedent

import pytest

from planalign.errors import InputError, UsageError
from planalign.studio.jobs import Jobs, Order, check, configurations, read_configuration

FORM = {
    "config": "planalign.yaml",
    "first_year": "2025",
    "last_year": "2027",
    "seeds": "2",
    "runner": "direct",
    "scenario": "",
    "name": "mine",
}


@pytest.fixture
def project(tmp_path):
    """A folder with a configuration of two scenarios."""
    (tmp_path / "census.csv").touch()
    (tmp_path / "planalign.yaml").write_text(
        "census: census.csv\nscenarios: {baseline: {}, growth: {}}\n"
    )
    return tmp_path


def asked(project, **changes):
    return check({**FORM, **changes}, folder=project, runs=project / "runs")


def test_a_form_becomes_an_order(project):
    order, problems = asked(project, scenario="growth")
    assert problems == {}
    assert order.arguments(resume=True) == [
        "simulate", "2025-2027", f"--config={project / 'planalign.yaml'}",
        f"--output={project / 'runs' / 'mine'}", "--runner=direct", "--seeds=2",
        "--scenario=growth", "--resume",
    ]  # fmt: skip


def test_resources_and_plans_of_the_form_are_options(project):
    more = {"threads": "3", "memory_limit": " 512mb", "plans": True}
    order, problems = asked(project, **more)
    assert problems == {}
    assert order.arguments()[-3:] == ["--threads=3", "--memory-limit=512mb", "--profile=plans"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../mine"),
        ("name", ""),
        ("name", "--help"),
        ("name", "a/b"),
        ("first_year", "soon"),
        ("first_year", None),
        ("first_year", "1800"),
        ("first_year", "20x5"),
        ("last_year", "2024"),
        ("last_year", "9999"),
        ("seeds", "0"),
        ("threads", "0"),
        ("threads", "257"),
        ("threads", "--resume"),
        ("memory_limit", "much"),
        ("memory_limit", "4"),
        ("seeds", "-1"),
        ("seeds", "1e9"),
        ("seeds", "999999999"),
        ("runner", "fast"),
        ("runner", "direct --resume"),
        ("config", "none.yaml"),
        ("config", "../planalign.yaml"),
        ("config", "/etc/passwd"),
        ("scenario", "none"),
        ("scenario", "--help"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(project, field, value):
    order, problems = asked(project, **{field: value})
    assert order is None
    assert list(problems) == [field]


def test_plans_of_another_runner_are_refused(project):
    order, problems = asked(project, runner="batch", plans=True)
    assert (order, list(problems)) == (None, ["plans"])


def test_every_field_that_is_wrong_is_told_of(project):
    _, problems = check({}, folder=project, runs=project)
    assert set(problems) == {"name", "first_year", "last_year", "seeds", "runner"}


def test_a_configuration_that_is_wrong_says_where(project):
    (project / "planalign.yaml").write_text("censu: x\n")
    _, problems = asked(project)
    assert "planalign.yaml:1" in problems["config"]


@pytest.mark.parametrize("taken", ["mine", "mine.partial"])
def test_a_name_that_is_taken_is_refused(project, taken):
    (project / "runs" / taken).mkdir(parents=True)
    assert "already" in asked(project)[1]["name"]


def test_configurations_are_files_of_the_folder(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    elsewhere.touch()
    (project / "link.yaml").symlink_to(elsewhere)
    (project / "a.yml").touch()
    (project / ".hidden.yaml").touch()
    (project / "folder.yaml").mkdir()
    assert configurations(project) == ["planalign.yaml", "a.yml"]
    assert configurations(project / "none") == []
    with pytest.raises(UsageError):
        read_configuration(project, "link.yaml")


@pytest.fixture
def order(tmp_path):
    return Order(tmp_path / "c.yaml", tmp_path / "runs" / "mine", 2025, 2026, 1, "direct")


def program(code):
    """Return a program in the place of planalign, which gets its arguments."""
    return (sys.executable, "-c", dedent(code))


def test_a_job_gets_its_arguments_and_is_ours_until_it_ends(tmp_path, order):
    jobs = Jobs(tmp_path, program("import json, sys; json.dump(sys.argv[1:], sys.stderr)"))
    job = jobs.start(order)
    assert job.process.wait() == 0
    assert json.loads(job.words()) == order.arguments()
    assert not jobs.is_working(order.output)
    assert jobs.get("mine") is job


def test_cancelling_is_what_ctrl_c_is(tmp_path, order):
    code = """
        import signal, sys
        sys.stderr.write("ready"); sys.stderr.flush()
        signal.pause()
    """
    jobs = Jobs(tmp_path, program(code))
    job = jobs.start(order)
    while job.words() != "ready":
        assert job.is_working
    assert jobs.is_working(order.output)
    with pytest.raises(UsageError, match="under way"):
        jobs.start(order)
    assert jobs.cancel("mine")
    assert job.process.wait() == -signal.SIGTERM
    assert not jobs.cancel("mine")


def test_a_run_takes_no_modules_from_the_folder_that_it_is_started_in(tmp_path, order):
    for name in ("yaml", "json", "duckdb", "typer", "planalign", "runpy", "typing"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')\nraise SystemExit(66)\n")
    (tmp_path / "c.yaml").write_text("census: absent.csv\n")
    job = Jobs(tmp_path).start(order)
    assert job.process.wait() == 2, job.words()
    assert "absent.csv" in job.words()
    assert not (tmp_path / "executed").exists()


def test_only_what_was_started_here_is_cancelled(tmp_path):
    assert not Jobs(tmp_path).cancel("another")


def test_a_job_of_ours_is_resumed_with_its_own_order(tmp_path, order):
    jobs = Jobs(tmp_path, program("import json, sys; json.dump(sys.argv[1:], sys.stderr)"))
    jobs.start(order).process.wait()
    job = jobs.resume(order.output, "direct")
    job.process.wait()
    assert json.loads(job.words()) == order.arguments(resume=True)


@pytest.fixture
def theirs(tmp_path):
    """A run that was started elsewhere, without its configuration."""
    (tmp_path / "runs" / "theirs.partial").mkdir(parents=True)
    return tmp_path / "runs" / "theirs"


def written_down(output, text):
    file = output.with_name("theirs.partial") / "config.yaml"
    file.write_text(text)
    return file


def test_a_run_from_elsewhere_is_resumed_with_what_it_wrote_down(tmp_path, theirs):
    file = written_down(
        theirs,
        f"census: {tmp_path}/c.csv\n"
        "simulation: {start_year: 2026, end_year: 2030, replicates: 3}\n",
    )
    jobs = Jobs(tmp_path, program("import json, sys; json.dump(sys.argv[1:], sys.stderr)"))
    job = jobs.resume(theirs, "batch")
    job.process.wait()
    assert json.loads(job.words()) == [
        "simulate", "2026-2030", f"--config={file}", f"--output={theirs}", "--runner=batch",
        "--seeds=3", f"--census={tmp_path / 'c.csv'}", "--resume",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "written down"),
        ("census: /etc/passwd\n", "is not in"),
        ("census: ../../../c.csv\n", "is not in"),
        ("census: c.csv\ndbt_project: models\n", "models of its own"),
        ("census: c.csv\nmodels: models\n", "models of its own"),
    ],
)
def test_a_run_that_leads_elsewhere_is_left_to_who_started_it(tmp_path, theirs, text, said):
    if text is not None:
        written_down(theirs, text)
    with pytest.raises(UsageError, match=said):
        Jobs(tmp_path).resume(theirs, "direct")


@pytest.mark.parametrize(
    "text",
    ["a: [", "[]", "hello", "[" * 999, "census: [1]", 'census: "a\\0b"', 'census: "\\ud800"',
     "census: {a: 1}\nsimulation: 7", "census: c.csv\nsimulation: {start_year: [], end_year: .inf}",
     "census: c.csv\nsimulation: {replicates: 1e999}", "\x00"],
)  # fmt: skip
def test_a_damaged_configuration_is_said(tmp_path, theirs, text):
    written_down(theirs, text)
    with pytest.raises((InputError, UsageError)) as caught:
        Jobs(tmp_path).resume(theirs, "direct")
    assert str(caught.value).encode()


def test_a_configuration_that_is_a_pipe_is_not_waited_for(tmp_path, theirs):
    written_down(theirs, "").unlink()
    os.mkfifo(theirs.with_name("theirs.partial") / "config.yaml")
    with pytest.raises(UsageError, match="written down"):
        Jobs(tmp_path).resume(theirs, "direct")


def test_a_census_in_a_circle_of_links_is_said(tmp_path, theirs):
    written_down(theirs, f"census: {tmp_path}/c.csv\n")
    (tmp_path / "c.csv").symlink_to("c.csv")
    with pytest.raises((InputError, UsageError)):
        Jobs(tmp_path).resume(theirs, "direct")
