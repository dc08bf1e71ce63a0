"""Made-up clients in the habits of five kinds of system become the census that they are."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import clients
from tests.support.clients import CLIENTS, bytes_writer
from typer.testing import CliRunner

from planalign.census.importing import import_once, open_sources
from planalign.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clients import Client

    from planalign.census.importing import Imported


def imported(client: Client, folder: Path, answers: dict[str, str] | None = None) -> Imported:
    """Import the file of a client with the answers that its truth uses."""
    path = client.in_folder(folder)
    return import_once(open_sources([path], None), client.asks if answers is None else answers)


def differences(client: Client, found: Imported) -> dict[str, Any]:
    """Return where an import is not the truth: cells by column, rows by reason."""
    (file,) = found.files
    rows = {row.line: row for row in file.rows}
    wrong: dict[str, Any] = {}
    for line, truth in client.truth.items():
        for name, value in truth.items():
            read = getattr(rows[line], name) if line in rows else "left out"
            if read != value:
                wrong.setdefault(name, []).append((line, read, value))
    dropped: dict[str, list[int]] = {}
    for line, reason in sorted(file.dropped.items()):
        dropped.setdefault(reason, []).append(line)
    if dropped != client.dropped:
        wrong["dropped"] = (dropped, client.dropped)
    mapping = found.as_dict()["mapping"]
    for header, became in client.mapping.items():
        if mapping.get(header) != became:
            wrong[header] = (mapping.get(header), became)
    return wrong


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_becomes_its_census(tmp_path, kind, seed):
    client = CLIENTS[kind](seed, 70)
    found = imported(client, tmp_path)
    assert [question.about for question in found.questions] == []
    assert found.answers.unused == []
    assert differences(client, found) == {}
    assert found.files[0].as_of == client.as_of


@pytest.mark.parametrize("kind", CLIENTS)
def test_what_a_client_leaves_open_is_asked_and_nothing_else(tmp_path, kind):
    client = CLIENTS[kind](3, 70)
    found = imported(client, tmp_path, {})
    assert {question.key for question in found.questions} == set(client.asks)


@pytest.mark.parametrize("kind", CLIENTS)
def test_rows_and_money_of_a_client_reconcile(tmp_path, kind):
    client = CLIENTS[kind](4, 60)
    found = imported(client, tmp_path)
    about = found.as_dict()
    assert about["rows_in"] == client.rows_in
    assert about["people"] + sum(about["dropped"].values()) == client.rows_in
    (file,) = found.files
    assert all(total["agrees"] for total in file.totals)
    assert bool(file.totals) == ("total" in client.dropped)
    assert about["totals"]["headcount_active"] == sum(
        truth["is_active"] for truth in client.truth.values()
    )
    pay = sum(t["annual_compensation"] for t in client.truth.values() if t["is_active"])
    assert about["totals"]["annual_pay_active"] == float(pay)


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_command_asks_is_answered_and_tells_nobodys_name(tmp_path, kind):
    client = CLIENTS[kind](5, 60)
    path = client.in_folder(tmp_path)
    output = tmp_path / "out" / "census.parquet"
    output.parent.mkdir()
    page = output.with_suffix(".html")
    command = ["census", "import", path, "--output", output, "--page", page]

    def run(*more: Any) -> Any:
        return CliRunner().invoke(app, [str(part) for part in (*command, *more)])

    asked = run("--json")
    assert asked.exit_code == 2
    questions = json.loads(asked.stdout)["questions"]
    assert {question["key"] for question in questions} == set(client.asks)
    assert not output.exists()
    in_words = run()
    assert in_words.exit_code == 2
    for key in client.asks:
        assert f'--answer "{key}=' in in_words.output
    done = run("--json", *client.answers)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["people"] == len(client.truth)
    with duckdb.connect() as connection:
        ids = connection.execute("select employee_id from read_parquet(?)", [str(output)])
        assert {one for (one,) in ids.fetchall()} == {
            truth["employee_id"] for truth in client.truth.values()
        }
    written = [one.read_bytes() for one in output.parent.iterdir()]
    assert len(written) == 4
    with duckdb.connect() as connection:
        rows = connection.execute("from read_parquet(?)", [str(output)]).fetchall()
    shown = [asked.output, in_words.output, done.output, repr(rows)]
    for secret in client.secrets:
        assert not [text for text in shown if secret in text]
        assert not [text for text in written if secret.encode() in text]


def test_a_census_of_another_year_restores_the_zeros_that_this_one_lost(tmp_path):
    before = clients.plan_census(6, 60, clients.date(2023, 12, 31), has_zeros=True)
    after = clients.plan_census(6, 60)
    paths = [one.in_folder(tmp_path) for one in (before, after)]
    found = import_once(open_sources(paths, None), after.asks)
    assert found.questions == []
    older, newer = ({row.employee_id for row in file.rows} for file in found.files)
    assert older == newer == {truth["employee_id"] for truth in before.truth.values()}


def test_the_same_rows_are_the_same_census_in_every_format(tmp_path):
    client = CLIENTS["spells"](7, 60)
    path = client.in_folder(tmp_path)
    content = path.read_bytes()
    rows = [line.split(",") for line in content.decode("utf-8-sig").splitlines()]

    def packed(target: Path) -> None:
        target.write_bytes(gzip.compress(content))

    def parquet(target: Path) -> None:
        header, *people = rows
        columns = list(zip(*people, strict=True))
        pq.write_table(pa.table(dict(zip(header, map(list, columns), strict=True))), target)

    formats = {
        "effective_2024-12-31.csv.gz": packed,
        "effective_2024-12-31.parquet": parquet,
        "effective_2024-12-31.ods": lambda target: clients.write_ods(target, rows),
        "effective_2024-12-31.txt": bytes_writer(content.replace(b",", b"|")),
        "effective_2024-12-31.tsv": bytes_writer(
            content.decode("utf-8-sig").replace(",", "\t").encode("utf-16")
        ),
    }
    for name, write in formats.items():
        other = replace(client, file=name, write=write)
        if name.endswith(".parquet"):
            # Its names of columns are no row.
            other = replace(
                other,
                truth={line - 1: truth for line, truth in client.truth.items()},
                dropped={
                    reason: [line - 1 for line in lines]
                    for reason, lines in client.dropped.items()
                    if reason != "header"
                },
            )
        found = imported(other, tmp_path)
        assert found.questions == [], name
        assert differences(other, found) == {}, name
