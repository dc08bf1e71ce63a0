"""How many trajectories go through a year in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planalign.config import parse
from planalign.study.simulation import BYTES_PER_EMPLOYEE, trajectories_per_block

if TYPE_CHECKING:
    from planalign.config.models import Resources


def resources(limit: str, **more: int) -> Resources:
    return parse({"resources": {"memory_limit": limit, **more}}, Path()).resources


@pytest.mark.parametrize(
    ("limit", "bytes_"),
    [("4GB", 4 * 10**9), ("3.5GiB", 3.5 * 2**30), ("512MB", 512 * 10**6)],
)
def test_a_block_fits_the_memory_limit(limit, bytes_):
    size = trajectories_per_block(resources(limit), 1_000)
    assert size * 1_000 * BYTES_PER_EMPLOYEE <= bytes_ < (size + 1) * 1_000 * BYTES_PER_EMPLOYEE


def test_a_trajectory_larger_than_the_memory_is_a_block_of_its_own():
    assert trajectories_per_block(resources("512MB"), 10_000_000) == 1


def test_a_company_without_employees_is_no_division_by_zero():
    assert trajectories_per_block(resources("512MB"), 0) > 0


def test_the_caller_may_choose():
    assert trajectories_per_block(resources("4GB", employees_per_block=2_500), 1_000) == 2
