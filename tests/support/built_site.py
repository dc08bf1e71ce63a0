"""The site of the documentation, as `make site` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_site(folder: Path) -> Path:
    """Build the site into a folder, with one line in place of dbt's documentation."""
    models = folder / "models.html"
    models.write_text("<!doctype html><title>Models</title><p>Here are the models.")
    site = folder / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MODELS": str(models), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return site
