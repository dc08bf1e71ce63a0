"""The census: read and check what a user supplies, or generate a synthetic one."""

from planalign.census.check import CheckReport, check_census
from planalign.census.read import CensusSummary, read_census
from planalign.census.synthesise import generate_census

__all__ = ["CensusSummary", "CheckReport", "check_census", "generate_census", "read_census"]
