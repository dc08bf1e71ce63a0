"""A hook of mkdocs: make the pages, as they are read in the repository, one site.

- The navigation is what docs/index.md lists; a page that is an index of its folder
  brings the pages that it leads to.
- Pages at the root of the repository (CHANGELOG.md, ..) are pages of the site too.
- A diagram in mermaid is the picture of it that tools/diagrams.py has drawn.
- dbt's documentation of the models is part of it, where `extra.models` says where it is.
"""

from __future__ import annotations

import posixpath
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagrams import DIAGRAM, is_current, picture_of
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ROOT_FILES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE")
# Where dbt's documentation of the models, one file, is in the site.
MODELS = "models/index.html"

LISTED = re.compile(r"^- \[([^\]]+)\]\(([^)#]+\.md)\)", re.MULTILINE)
BESIDE = re.compile(r"\]\(([\w-]+\.md)")
LINK = re.compile(r"(\]\()([^)#\s:]+)(?=[)#])")


def in_site(source: str) -> str:
    """Return where a file of the repository is in the site."""
    return source.removeprefix("docs/")


def entries(text: str) -> list[dict[str, Any]]:
    """Return what the lists of docs/index.md begin with; the index of a folder is a section."""
    found: list[dict[str, Any]] = []
    for title, link in LISTED.findall(text):
        target = in_site(posixpath.normpath(f"docs/{link}"))
        is_index = target.endswith("/index.md")
        found.append({title: [target, *pages_beside(target)] if is_index else target})
    return found


def pages_beside(index: str) -> list[str]:
    """Return the pages of its folder that an index leads to, in its order."""
    folder = posixpath.dirname(index)
    links = BESIDE.findall((DOCS / index).read_text(encoding="utf-8"))
    return [f"{folder}/{name}" for name in dict.fromkeys(links)]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation."""
    parts = re.split(r"^## (.+)$", (DOCS / "index.md").read_text("utf-8"), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    config.nav = [
        {"Overview": "index.md"},
        *({title: entries(text)} for title, text in sections.items()),
    ]
    if config.extra["models"]:
        config.nav.append({"Models": MODELS})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what does not lie in docs/."""
    outside = {in_site(name): ROOT / name for name in ROOT_FILES}
    if config.extra["models"]:
        outside[MODELS] = ROOT / config.extra["models"]
    for name, path in outside.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Let links and diagrams lead to where they are in the site."""
    here = page.file.src_uri
    of_repository = here if here in ROOT_FILES else f"docs/{here}"

    def moved(link: re.Match[str]) -> str:
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(of_repository), link[2]))
        return link[1] + posixpath.relpath(in_site(aim), posixpath.dirname(here) or ".")

    numbers = count(1)

    def picture(diagram: re.Match[str]) -> str:
        name = picture_of(here, next(numbers))
        if not is_current(DOCS / name, diagram[1]):
            raise PluginError(f"{here}: docs/{name} is not of its diagram: run tools/diagrams.py")
        return f"![Diagram]({posixpath.relpath(name, posixpath.dirname(here) or '.')})"

    return DIAGRAM.sub(picture, LINK.sub(moved, markdown))


def on_page_content(html: str, **_: object) -> str:
    """Show a bar in the code of a table, where it is escaped, as what it is."""
    return re.sub(r"<td>.*?</td>", lambda cell: cell[0].replace(r"\|", "|"), html)
