"""Where the dbt project is, and the fingerprint of everything that can change it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING

from planalign.errors import UsageError
from planalign.files import require_path
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from pathlib import Path

# What dbt reads. Its own target and log folders are not part of the project.
_SOURCES = ("models", "macros", "seeds", "tests", "dbt_project.yml", "profiles.yml", ".dbtignore")


@dataclass(frozen=True)
class Project:
    """A dbt project folder: the packaged one, or a user's changed copy of it."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | None) -> Project:
        """Return the project in `folder`, or the packaged one.

        Raises:
            UsageError: the folder holds no dbt project, or dbt cannot read its path.
        """
        project = cls((folder or PACKAGED).resolve())
        require_path(project.folder)
        if not (project.folder / "dbt_project.yml").is_file():
            raise UsageError(
                f"{project.folder} is no dbt project: it has no dbt_project.yml",
                "Copy the packaged project there, or drop the dbt_project setting.",
            )
        return project

    @property
    def files(self) -> list[Path]:
        """Return every file that dbt reads, in stable order."""
        found: list[Path] = []
        for name in _SOURCES:
            path = self.folder / name
            if path.is_dir():
                found.extend(file for file in path.rglob("*") if file.is_file())
            elif path.is_file():
                found.append(path)
        return sorted(found)

    @cached_property
    def files_fingerprint(self) -> str:
        """Return the SHA-256 of all files."""
        digest = hashlib.sha256()
        for file in self.files:
            content = file.read_bytes()
            digest.update(
                os.fsencode(file.relative_to(self.folder)) + f" {len(content)}\n".encode()
            )
            digest.update(content)
        return digest.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of all files and of the versions that compile them."""
        return with_versions(self.files_fingerprint)

    @cached_property
    def counting_fingerprint(self) -> str:
        """Return the SHA-256 of what of the files can reach the compiled models.

        Takes ten times as long as that of all files: for a project that changed.
        """
        from planalign.engine.templates import reads_descriptions, what_counts

        described = any(reads_descriptions(file) for file in self.files)
        digest = hashlib.sha256()
        for file in self.files:
            content = what_counts(file, with_descriptions=described)
            digest.update(
                os.fsencode(file.relative_to(self.folder)) + f" {len(content)}\n".encode()
            )
            digest.update(content)
        return digest.hexdigest()


def with_versions(fingerprint: str) -> str:
    """Return the SHA-256 of a fingerprint and of the versions that compile models."""
    digest = hashlib.sha256(fingerprint.encode())
    for name, version in sorted(compiler_versions().items()):
        digest.update(f"{name}={version}\n".encode())
    return digest.hexdigest()


def compiler_versions() -> dict[str, str]:
    """Return the versions of what turns models into SQL, without importing it."""
    return {name: metadata.version(name) for name in ("dbt-core", "dbt-adapters", "dbt-duckdb")}
