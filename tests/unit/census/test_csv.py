from __future__ import annotations

import gzip

import pytest

HEADER = "employee_id,birth_date,hire_date,annual_compensation,job_level,department\n"
ROW = "{},1985-03-31,2024-06-01,52000.50,2,{}\n"


@pytest.fixture
def raw(tmp_path):
    def write_bytes(content: bytes | str, name: str = "census.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_bytes


@pytest.fixture
def departments(read, connection):
    def read_departments(path) -> list[str | None]:
        read(path)
        found = connection.execute("select department from census order by employee_id")
        return [department for (department,) in found.fetchall()]

    return read_departments


def text(*values: str) -> str:
    return HEADER + "".join(ROW.format(f"E{n}", value) for n, value in enumerate(values))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(raw, departments, delimiter):
    assert departments(raw(text("A", "B").replace(",", delimiter))) == ["A", "B"]


def test_delimiter_of_a_header_with_other_delimiters_in_names(raw, departments):
    content = text("A").replace(",", ";").replace("department\n", 'department;"a,b,c,d,e,f,g"\n')
    assert departments(raw(content.replace(";A\n", ";A;1,2\n"))) == ["A"]


def test_byte_order_mark(raw, departments):
    assert departments(raw("\ufeff" + text("A"))) == ["A"]
    assert departments(raw("\ufeff" + text("A").replace("employee_id", '"employee_id"'))) == ["A"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(raw, departments, end):
    assert departments(raw(text("A", "B").replace("\n", end))) == ["A", "B"]


def test_mixed_line_ends(raw, departments):
    assert departments(raw(text("A", "B", "C").replace("A\n", "A\r\n"))) == ["A", "B", "C"]


def test_no_line_end_at_the_end(raw, departments):
    assert departments(raw(text("A", "B").removesuffix("\n"))) == ["A", "B"]


def test_blank_lines_are_no_rows(raw, departments, problems):
    assert departments(raw("\n\r\n" + text("A", "B").replace("A\n", "A\n\n") + "\n\n")) == [
        "A",
        "B",
    ]


def test_rows_are_counted_without_blank_lines(raw, problems):
    (problem,) = problems(raw("\n" + text("A", "B").replace("A\n", "A\n\n").replace("2,B", "9,B")))
    assert (problem.row, problem.column) == (2, "job_level")


def test_quotes_and_embedded_line_ends(raw, departments):
    content = text('"North, ""East"""', '"two\nlines"', '"two\r\nlines"', '5" pipe')
    assert departments(raw(content)) == ['North, "East"', "two\nlines", "two\r\nlines", '5" pipe']


def test_quoted_header_with_a_line_end(raw, departments):
    content = text("A").replace("department\n", 'department,"free\ntext"\n')
    assert departments(raw(content.replace("A\n", "A,x\n"))) == ["A"]


def test_blanks_around_values_are_dropped(raw, departments):
    assert departments(raw(text("  A\t", "\u00a0B\u00a0", "   ", '"  "', '""'))) == [
        "A",
        "B",
        None,
        None,
        None,
    ]


def test_gzip(raw, departments):
    assert departments(raw(gzip.compress(text("A").encode()), "census.csv.gz")) == ["A"]


@pytest.mark.parametrize(
    "name",
    ["a*b.csv", "a?b.csv", "a[1].csv", "{a,b}.csv", "k=v/a.csv", "it's.csv", "Ä.CSV", "~.csv"],
)
def test_odd_file_names(raw, departments, name):
    assert departments(raw(text("A"), name)) == ["A"]


def test_a_header_of_other_words_names_the_missing_columns(raw, problems):
    found = problems(raw("1;2;3\n4;5;6\n"))
    assert [problem.column for problem in found][:2] == ["employee_id", "birth_date"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "census.csv", "empty file"),
        (b"\n\n", "census.csv", "no header"),
        (b'"never closed\n1,2\n', "census.csv", "no header"),
        ("a,b\n".encode("utf-16"), "census.csv", "UTF-16"),
        (b"not compressed", "census.csv.gz", "cannot be read"),
        (gzip.compress(text("A").encode(), mtime=0)[:40], "census.csv.gz", "cannot be read"),
        (b"a,b\n", "census.xlsx", "neither CSV nor Parquet"),
        (b"a,b\n", "census", "neither CSV nor Parquet"),
    ],
)
def test_files_that_cannot_be_read(raw, problems, content, name, message):
    (problem,) = problems(raw(content, name))
    assert message in problem.message
    assert problem.row is None


def test_gzip_cut_off_far_behind_the_header(raw, problems):
    rows = "".join(ROW.format(f"E{n}", f"D{n * 7919 % 104729}") for n in range(100_000))
    (problem,) = problems(raw(gzip.compress((HEADER + rows).encode())[:-50000], "census.csv.gz"))
    assert "cannot be read" in problem.message


def test_no_such_file(tmp_path, problems):
    (problem,) = problems(tmp_path / "none.csv")
    assert "No such file" in problem.message


def test_folder(tmp_path, problems):
    (tmp_path / "folder.csv").mkdir()
    (problem,) = problems(tmp_path / "folder.csv")
    assert "directory" in problem.message


def test_path_that_is_not_text(tmp_path, problems):
    path = tmp_path / "a\udcff.csv"
    path.write_bytes(text("A").encode())
    (problem,) = problems(path)
    assert "cannot be opened" in problem.message


def test_path_with_a_null(tmp_path, problems):
    (problem,) = problems(tmp_path / "a\0.csv")
    assert "cannot be opened" in problem.message


def test_broken_records_come_with_all_other_problems(raw, problems):
    content = text("A", "B", "C,too many", "D", "E").replace("2,B", "9,B").encode()
    content += b"E5,1985-03-31,2024-06-01,52000.50,2,caf\xe9\n"
    content += b'E6,1985-03-31,2024-06-01,52000.50,2,"quoted"badly\n'
    content += b"E7,1985-03-31\n"
    content += b"E8,1985-03-31,2024-06-01,0,2,F\n"
    found = problems(raw(content))
    assert [(p.row, p.line, p.column) for p in found] == [
        (2, 3, "job_level"),
        (3, 4, None),
        (6, 7, None),
        (7, 8, None),
        (8, 9, None),
        (9, 10, "annual_compensation"),
    ]
    messages = [problem.message for problem in found if problem.column is None]
    assert messages[0] == "7 values where the header has 6 columns"
    assert messages[1] == "not UTF-8 text"
    assert messages[2].startswith("not a CSV record")
    assert messages[3] == "2 values where the header has 6 columns"


def test_quote_that_is_never_closed(raw, problems):
    found = problems(raw(text("A", '"B', "C")))
    assert [(p.row, p.line) for p in found] == [(2, 3)]


def test_many_broken_records_are_cut_by_row(raw, problems):
    content = text(*["A,x"] * 1500).replace("E0,1985", "E0,1885").replace("A,x\n", "A\n", 1)
    found = problems(raw(content))
    assert (found[0].row, found[0].column) == (1, "birth_date")
    assert len(found) == 1001
    assert found[-1].message == "500 more problems are not listed"


def test_first_line_end_inside_quotes_of_a_repaired_file(raw, departments):
    assert departments(raw("\n" + text('"two\rlines"'))) == ["two\rlines"]


def test_null_characters(raw, departments):
    assert departments(raw(text("A\0B"))) == ["A\0B"]


def test_the_order_of_rows_does_not_rest_on_a_setting(raw, connection, problems):
    connection.execute("set preserve_insertion_order = false")
    rows = [ROW.format(f"E{n:07d}", "D") for n in range(100_000)]
    rows[87_654] = rows[87_654].replace(",2,D", ",8,D")
    (problem,) = problems(raw(HEADER + "".join(rows)))
    connection.execute("reset preserve_insertion_order")
    assert problem.row == 87_655
