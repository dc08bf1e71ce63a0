"""Draw the diagrams of docs/, which are in mermaid, as pictures in docs/images.

GitHub draws mermaid itself; the site of `make site` loads nothing and has the pictures.

Usage, where npx may download and Chromium is installed:

    python tools/diagrams.py

A picture knows the digest of what it was drawn from, so that `make site` and the suite
tell when the diagram of a page has changed since.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DRAW = ("npx", "--yes", "@mermaid-js/mermaid-cli@11", "--quiet")
# Text as text: a browser shows no HTML in a picture. Ids that are the same each time.
LOOKS = {
    "theme": "neutral",
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False},
    "deterministicIds": True,
    "themeCSS": ".edgeLabel rect { opacity: 1; fill: #fff; }",
}


def mark(source: str) -> str:
    """Return the comment by which a picture names the diagram that it was drawn from."""
    return f"<!-- Drawn from {hashlib.sha256(source.encode()).hexdigest()} -->\n"


def picture_of(page: str, number: int) -> str:
    """Return the path, under docs/, of the picture of the n-th diagram of a page."""
    return f"images/{page.removesuffix('.md').replace('/', '-')}-{number}.svg"


def is_current(picture: Path, source: str) -> bool:
    """Say whether a picture is there and was drawn from this diagram."""
    return picture.exists() and picture.read_text(encoding="utf-8").startswith(mark(source))


def draw(source: str, picture: Path) -> None:
    """Write the picture of a diagram."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        drawn = place / "diagram.svg"
        chromium = {"executablePath": shutil.which("chromium"), "args": ["--no-sandbox"]}
        (place / "diagram.mmd").write_text(source, encoding="utf-8")
        (place / "looks.json").write_text(json.dumps(LOOKS), encoding="utf-8")
        (place / "chromium.json").write_text(json.dumps(chromium), encoding="utf-8")
        subprocess.run(
            [*DRAW, "--input", place / "diagram.mmd", "--output", drawn, "--configFile",
             place / "looks.json", "--puppeteerConfigFile", place / "chromium.json"],
            check=True,
        )  # fmt: skip
        text = drawn.read_text(encoding="utf-8")
        # As wide as it was drawn: a picture in a page has no width to be all of.
        [width] = re.findall(r'viewBox="0 0 (\d+)', text)
        text = text.replace('width="100%"', f'width="{width}"', 1)
        picture.write_text(mark(source) + text, encoding="utf-8")


def main() -> int:
    """Draw what has no current picture."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.relative_to(DOCS).as_posix()
        for number, source in enumerate(DIAGRAM.findall(path.read_text(encoding="utf-8")), 1):
            picture = DOCS / picture_of(page, number)
            if not is_current(picture, source):
                draw(source, picture)
                print(f"Wrote {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
