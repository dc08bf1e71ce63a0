"""Scenarios beside each other: the figures that a reader asks for, and how sure they are."""

from planalign.results.compare.side_by_side import side_by_side
from planalign.results.compare.sides import FIGURES

__all__ = ["FIGURES", "side_by_side"]
