"""Every command, argument and option is in its section of docs/reference/commands.md."""

import re
from pathlib import Path

import pytest
import typer

from planalign.cli.app import app

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"


ROOT = typer.main.get_command(app)


def flags(command):
    """Return the long options of a command, but for --help."""
    long = [flag for one in command.params for flag in one.opts if flag.startswith("--")]
    return [flag for flag in long if flag != "--help"]


def commands():
    """Return each command by its full name, groups left out."""

    def below(name, command):
        children = getattr(command, "commands", None)
        if children is None:
            yield name, command
        for child, inner in (children or {}).items():
            yield from below(f"{name} {child}", inner)

    return dict(below("planalign", ROOT))


COMMANDS = commands()


def section(title):
    """Return the text below a heading of the page."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    found = [part for part in parts if part.splitlines()[0] == title]
    assert len(found) == 1, f"commands.md needs one section {title!r}"
    return found[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_documented(name):
    text = section(name)
    assert [flag for flag in flags(COMMANDS[name]) if f"\n| `{flag}`" not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_of_a_command_is_documented(name):
    arguments = [one for one in COMMANDS[name].params if one.param_type_name == "argument"]
    names = [(one.metavar or one.name).strip("[].") for one in arguments]
    text = section(name)
    assert [argument for argument in names if f"`{argument}`" not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_documented_that_is_gone(name):
    rows = [line for line in section(name).splitlines() if line.startswith("| `--")]
    assert {row.split("`")[1] for row in rows} <= set(flags(COMMANDS[name]))


def test_no_command_is_documented_that_is_gone():
    titles = re.findall(r"^## (planalign .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(titles) == set(COMMANDS)


def test_global_options_are_documented():
    text = section("planalign")
    assert [flag for flag in flags(ROOT) if f"\n| `{flag}`" not in text] == []
