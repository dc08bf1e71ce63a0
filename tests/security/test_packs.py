"""A pack may come from anybody: nothing is written but its files, and nothing else is read."""

from __future__ import annotations

import json
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from planalign.errors import EnvironmentFaultError, InputError, UsageError
from planalign.study.archive import unpack, write_archive
from planalign.study.past import past_in_pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = stat.S_IFREG | 0o644
DIGEST = "0" * 64
PROVENANCE = {
    "format": 1,
    "fingerprints": dict.fromkeys(
        ("configuration", "census", "models", "reference_tables"), DIGEST
    ),
    "versions": dict.fromkeys(("planalign", "dbt-core", "dbt-duckdb", "duckdb"), "1"),
}
CONTENTS = {
    "provenance.json": json.dumps(PROVENANCE),
    "config.yaml": "census: census.csv\n",
    "fingerprints.json": json.dumps({"all": DIGEST}),
    "pack.json": '{"pack": 1, "scenario": null, "replicate": null}',
    "census.csv": "employee_id\n",
}


def largest(name: str) -> int | None:
    return 100 if name.startswith(("models/", "a")) else None


def archive_of(path: Path, *entries: tuple[str, str, int], **settings: int) -> Path:
    """Write an archive of files, each with its path, its content and its mode."""
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = archive.compression
            archive.writestr(info, content)
    return path


def refused(tmp_path: Path, archive: Path, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        unpack(archive, tmp_path / "new", largest)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != archive]


@pytest.mark.parametrize(
    "name",
    [
        "../a", "models/../../a", "/a", "models//a", "models/./a", "models/", "models\\a", "./a",
        "models/\x1b[2J", "models/" + "a" * 300, "models/" + "b/" * 200 + "a", "a/../b",
    ],
)  # fmt: skip
def test_a_path_that_is_odd_is_refused(tmp_path: Path, name: str) -> None:
    refused(tmp_path, archive_of(tmp_path / "x.zip", (name, "x", FILE)), "odd path")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    archive = archive_of(
        tmp_path / "x.zip", ("models/a", "x", FILE), ("models/b", "/etc/passwd", kind | 0o777)
    )
    refused(tmp_path, archive, "a link or a device")


def test_what_is_not_of_a_pack_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", ("bashrc", "x", FILE))
    refused(tmp_path, archive, "does not belong")


def test_a_file_is_of_bounded_size_and_never_unfolds(tmp_path: Path) -> None:
    large = archive_of(tmp_path / "x.zip", ("models/a", "x" * 101, FILE))
    refused(tmp_path, large, "larger than 100 bytes")
    folded = archive_of(
        tmp_path / "x.zip", ("models/a", "x" * 99, FILE), compression=zipfile.ZIP_DEFLATED
    )
    refused(tmp_path, folded, "compressed or encrypted")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("models/a", "models/a"), ("models/a", "models/a/b")])
def test_two_files_at_one_place_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    entries = [(name, "x", FILE) for name in names]
    refused(tmp_path, archive_of(tmp_path / "x.zip", *entries), "two files at one place")


def test_files_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path / "x.zip", ("models/a", "x" * 90, FILE), ("models/b", "x" * 90, FILE)
    )
    content = bytearray(archive.read_bytes())
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = (0).to_bytes(4, "little")  # the place of the first
    archive.write_bytes(content)
    with pytest.raises(UsageError):
        unpack(archive, tmp_path / "new", largest)


def test_a_list_of_too_many_files_is_not_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "x.zip", ("models/a", "x", FILE))
    content = bytearray(archive.read_bytes())
    content[-14:-10] = b"\xff\xff\xff\xff"
    archive.write_bytes(content)
    refused(tmp_path, archive, "more than 10,000 files")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"no archive, but long enough to have an end of one"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    refused(tmp_path, path, "is no pack")


def test_a_damaged_archive_is_told_in_words(tmp_path: Path) -> None:
    """Each byte of it is another one once: it is taken, with its own files, or refused."""
    sound = archive_of(tmp_path / "x.zip", ("models/a", "xyz", FILE), ("models/b", "", FILE))
    content = sound.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        sound.write_bytes(changed)
        folder = tmp_path / "many" / str(place)
        folder.parent.mkdir(exist_ok=True)
        try:
            unpack(sound, folder, largest)
        except UsageError:
            continue
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
        assert all(map(largest, names))
    shorter = tmp_path / "y.zip"
    for length in range(len(content)):
        shorter.write_bytes(content[:length])
        with pytest.raises(UsageError):
            unpack(shorter, tmp_path / "many" / f"shorter-{length}", largest)


def test_what_is_written_is_read_and_the_owners_alone(tmp_path: Path) -> None:
    archive = tmp_path / "deep" / "x.zip"
    write_archive(archive, {"models/b": b"2", "a": b"1"})
    unpack(archive, tmp_path / "new", largest)
    assert (tmp_path / "new" / "a").read_bytes() + (tmp_path / "new/models/b").read_bytes() == b"12"
    made = [archive, archive.parent, tmp_path / "new"]
    assert [path for path in made if path.stat().st_mode & 0o077] == []
    with pytest.raises(UsageError, match="exists already"):
        write_archive(archive, {})


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a pack with some files changed, or gone."""

    def make(changes: dict[str, str | None]) -> Path:
        contents = {
            name: text for name, text in {**CONTENTS, **changes}.items() if text is not None
        }
        entries = [(name, text, FILE) for name, text in contents.items()]
        return archive_of(tmp_path / "x.zip", *entries)

    return make


def test_a_sound_pack_is_taken(packed: Callable[..., Path], tmp_path: Path) -> None:
    past = past_in_pack(packed({}), tmp_path / "new", None)
    assert (past.recorded, past.digests) == (PROVENANCE, {"all": DIGEST})
    assert past.config.census == tmp_path / "new" / "census.csv"


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.csv"])
@pytest.mark.parametrize("key", ["census", "models", "dbt_project"])
def test_its_configuration_leads_nowhere_else(
    packed: Callable[..., Path], tmp_path: Path, key: str, path: str
) -> None:
    pack = packed({"config.yaml": f"{key}: {path}\n"})
    with pytest.raises(InputError) as caught:
        past_in_pack(pack, tmp_path / "new", None)
    assert "leads out of the folder" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"provenance.json": None}, "it has no provenance.json"),
        ({"provenance.json": "{}"}, "is no provenance"),
        ({"fingerprints.json": "[]"}, "is no JSON object"),
        ({"pack.json": "{}"}, "does not say which run"),
        ({"pack.json": '{"pack": 1, "replicate": true}'}, "does not say which run"),
        ({"census.csv": None}, "holds no census"),
        ({"results.duckdb": ""}, "does not belong"),
    ],
)
def test_what_a_pack_lacks_is_told(
    packed: Callable[..., Path], tmp_path: Path, changes: dict[str, str | None], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        past_in_pack(packed(changes), tmp_path / "new", None)


@pytest.mark.parametrize(
    "changes",
    [{"pack.json": '{"pack": 2}'}, {"provenance.json": json.dumps({**PROVENANCE, "format": 999})}],
)
def test_a_later_pack_or_run_is_refused(
    packed: Callable[..., Path], tmp_path: Path, changes: dict[str, str]
) -> None:
    pack = packed(changes)
    with pytest.raises(EnvironmentFaultError) as caught:
        past_in_pack(pack, tmp_path / "new", None)
    assert str(pack) in str(caught.value)
