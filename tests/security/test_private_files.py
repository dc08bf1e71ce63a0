"""What planalign writes is readable for its owner only, whatever the umask."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LIBRARY = """
from pathlib import Path
import planalign
from planalign.census import generate_census
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.results.export import export

generate_census(20, 1, Path("census.csv"))
cache = YearCache(Path("years/of/mine"), CACHE_BYTES)
study = {"census": "census.csv", "simulation": {"end_year": 2025}}
with planalign.simulate(study, output="runs/one", cache=cache) as run:
    for fmt, name in (("csv", "csv"), ("parquet", "parquet"), ("xlsx", "book.xlsx")):
        export(run, fmt, f"exports/{name}")
import os
assert os.umask(0) == int(os.environ.get("EXPECTED", "0")), "the umask is the program's own"
"""


def for_others(paths: Iterable[Path]) -> list[str]:
    """Return what anybody but the owner has a right to."""
    return [
        f"{path} {stat.filemode(path.lstat().st_mode)}"
        for path in paths
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]


def test_commands_write_for_the_owner_alone_also_under_umask_0(used):
    given = {"staff.csv", "staff.parquet", "planalign.yaml"}
    made = [path for path in used.project.rglob("*") if path.parent != used.project]
    made += [path for path in used.project.iterdir() if path.name not in given]
    made += [used.folder / "cache", *(used.folder / "cache").rglob("*")]
    names = {path.name for path in made}
    assert names >= {
        "results.duckdb", "events.jsonl", "config.yaml", "provenance.json", "partial_parse.msgpack",
        "fct_yearly_events.csv", "book.xlsx", "made.csv", "made.parquet", "planalign.yaml",
        "index.json", "pipelines", "years", "runs", "exports", "direct.zip",
    }  # fmt: skip
    assert for_others(made) == []


def test_commands_leave_no_temporary_file(used):
    assert list(used.temporary.iterdir()) == []


@pytest.mark.parametrize("umask", [0, 0o022])
def test_the_library_writes_for_the_owner_alone_and_leaves_the_umask(used, home, umask):
    # The pipeline that is compiled already.
    (home.folder / "cache").symlink_to(used.folder / "cache")
    code = _LIBRARY.replace('os.environ.get("EXPECTED", "0")', f'"{umask}"')
    done = home.python("-c", code, umask=umask)
    assert done.returncode == 0, done.stderr
    made = list(home.project.rglob("*"))
    assert {"results.duckdb", "index.json", "book.xlsx", "census.csv"} <= {p.name for p in made}
    assert for_others(made) == []


def test_a_run_in_the_making_is_closed_to_others(home):
    """Files get their mode when they are published; until then the folder keeps them."""
    code = (
        "import os\nfrom planalign.engine.run_folder import run_folder\nfrom pathlib import Path\n"
        "folder = run_folder(Path('runs/one'))\n"
        "with folder.claimed(resume=False):\n"
        "    folder.write('config.yaml', 'x')\n"
        "    for path in Path('runs').iterdir():\n"
        "        print(path.name, oct(path.stat().st_mode & 0o777))\n"
    )
    done = home.python("-c", code)
    assert sorted(done.stdout.splitlines()) == ["one.partial 0o700", "one.partial.lock 0o600"]


def test_a_lock_is_not_written_through_a_link(home):
    precious = home.folder / "precious"
    precious.write_text("mine")
    (home.project / "one.partial.lock").symlink_to(precious)
    done = home.planalign("simulate", "--census", "none.csv", "--output", "one")
    assert done.returncode == 4, done.stderr
    assert precious.read_text() == "mine"


def test_a_spill_folder_is_the_owners_alone(home):
    code = (
        "from planalign import duck\n"
        "with duck.connect(memory_limit='40MB') as connection:\n"
        "    connection.execute('set threads = 1')\n"
        "    connection.execute('create temp table t as select range i, md5(range::varchar) m '\n"
        "        'from range(1500000)')\n"
        "    from pathlib import Path; import tempfile\n"
        "    top = list(Path(tempfile.gettempdir()).iterdir())\n"
        "    print([oct(p.stat().st_mode & 0o777) for p in top], any(top[0].rglob('*')))\n"
    )
    done = home.python("-c", code)
    assert done.stdout.strip() == "['0o700'] True", done.stderr
    assert list(home.temporary.iterdir()) == []


def test_what_is_there_keeps_its_mode(home):
    (home.project / "runs").mkdir(mode=0o755)
    (home.project / "runs").chmod(0o755)
    done = home.planalign("init", ".")
    assert done.returncode == 0, done.stderr
    done = home.planalign("census", "generate", "--employees", "5", "--output", "runs/one.csv")
    assert done.returncode == 0, done.stderr
    assert (home.project / "runs").stat().st_mode & 0o777 == 0o755
    assert (home.project / "runs" / "one.csv").stat().st_mode & 0o777 == 0o600
