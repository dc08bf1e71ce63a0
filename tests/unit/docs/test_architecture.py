"""The layers of the page on architecture are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import planalign

SOURCE = Path(planalign.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"
# What `import planalign` and `python -m planalign` are.
ENTRANCES = {"__init__", "__main__"}


def layers() -> dict[str, int]:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    return {part: int(layer) for layer, parts in rows for part in re.findall(r"`(\w+)`", parts)}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if part_of(path) not in {"dbt", *ENTRANCES}]


def imported(path: Path) -> set[str]:
    """Return the parts of the package that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports from a place relative to its own"
            whole = node.module == "planalign"
            names |= {f"planalign.{one.name}" for one in node.names} if whole else {node.module}
        elif isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
    return {name.split(".")[1] for name in names if name and name.startswith("planalign.")}


def test_each_part_has_a_layer_and_no_other_is_named() -> None:
    assert layers().keys() == {part_of(path) for path in modules()}


def test_a_module_imports_from_layers_below_its_own() -> None:
    layer = layers()
    wrong = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in modules()
        for other in imported(path) - {part_of(path), "__version__"}
        if layer[other] >= layer[part_of(path)]
    ]
    assert not wrong
