"""The site has every page, and loads nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from built_site import ROOT, build_site

# Elements that load what an attribute names. A link that a reader follows loads nothing.
LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
# Of the theme's own script, which asks elsewhere only for what these elements are of:
# diagrams in mermaid, and a repository at a host.
ASKS_ELSEWHERE = ("mermaid", "md-source")


class Loaded(HTMLParser):
    """What a page loads, its classes, and the text of its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.classes |= set((given.get("class") or "").split())
        if url := given.get(LOADING.get(tag, "")):
            self.urls.append(url)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


def is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc or parts.scheme) and parts.scheme != "data"


def test_the_site_has_every_page(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    for page in [*pages, *map(Path, ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]:
        assert (site / page.with_suffix(".html")).exists(), page
    assert "Here are the models" in (site / "models/index.html").read_text()
    assert 'href="../models/index.html"' in (site / "method/pay.html").read_text()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Loaded()
        page.feed(path.read_text())
        assert not any(map(is_elsewhere, page.urls)), path
        assert not page.classes.intersection(ASKS_ELSEWHERE), path
        for url in page.urls:
            beside = path.parent / urlsplit(url).path
            # The page of a server that finds nothing is the one whose links are absolute.
            assert path.name == "404.html" or beside.exists(), f"{path} loads {url}"


def test_styles_load_nothing_from_elsewhere(site: Path) -> None:
    for path in [*site.rglob("*.css"), *site.rglob("*.svg"), *site.rglob("*.html")]:
        loaded = re.findall(r"(?:url\(|@import\s+)['\"]?([^'\")\s]+)", path.read_text())
        assert not any(map(is_elsewhere, loaded)), path


def test_lists_are_lists(site: Path) -> None:
    # Markdown in Python needs an empty line before a list, that of the repository's host none.
    for path in site.rglob("*.html"):
        paragraphs = re.findall(r"<p>(.*?)</p>", path.read_text(), re.DOTALL)
        assert [
            text for text in paragraphs if re.search(r"^(- |\d+\. |\|)", text, re.MULTILINE)
        ] == []
