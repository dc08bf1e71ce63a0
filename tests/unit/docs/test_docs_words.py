"""The pages name no machine, no folder of one, and link only to known sources."""

import re
from pathlib import Path

import pytest

from planalign import __version__

ROOT = Path(__file__).parents[3]
FILES = [
    path
    for path in [*(ROOT / "docs").rglob("*"), *ROOT.glob("*.md")]
    if path.suffix in {".md", ".sh", ".py", ".svg"}
]
# Sources and standards; whatever else a page needs, it says itself.
HOSTS = {
    "distributed.dask.org",
    "docs.dask.org",
    "doi.org",
    "jobqueue.dask.org",
    "kubernetes.dask.org",
    "keepachangelog.com",
    "semver.org",
    "www.rfc-editor.org",
    "www.textualize.io",
    "www.w3.org",
}
_ABSOLUTE = re.compile(r"(?<![\w.…~\"/}])/(?:home|root|Users|work|tmp|var|mnt|opt|srv)/")
_HOST = re.compile(r"https?://([^/\s)\"'<>]+)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_absolute_path_of_a_machine(path):
    assert _ABSOLUTE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_go_to_known_hosts_only(path):
    assert set(_HOST.findall(path.read_text(encoding="utf-8"))) <= HOSTS


def test_the_licence_is_the_one_that_the_package_declares():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "planalign contributors" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_newest_release_of_the_changelog_is_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert first == "Unreleased"
    assert released[0] == __version__
