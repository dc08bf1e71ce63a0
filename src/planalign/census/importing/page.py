"""What an import did and asks, as a page that can be sent to the client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from planalign.census.importing.importer import Imported

_WORDS = {
    "title": "above the header",
    "header": "of the header",
    "repeated_header": "that repeat it",
    "blank": "blank",
    "total": "of totals",
    "footer": "of notes",
    "duplicate_of_rehired_person": "more of people with several",
    "duplicate_exact": "copies",
    "unusable": "that cannot be used",
}


def page_of(imported: Imported) -> str:
    """Return the page as HTML, which loads nothing and runs nothing."""
    environment = Environment(
        loader=PackageLoader("planalign.census", "importing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    document = json.loads(imported.journal())
    return environment.get_template("page.html").render(
        names=", ".join(one["file"] for one in document["files"]),
        questions=document["questions"],
        files=document["files"],
        words=_WORDS,
    )
