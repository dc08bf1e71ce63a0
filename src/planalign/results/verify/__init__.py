"""Whether two runs have the same bits, and which rows and columns differ first."""

from planalign.results.verify.marts import verify
from planalign.results.verify.outcome import (
    ColumnDifference,
    Comparison,
    MartDifference,
    RowDifference,
)
from planalign.results.verify.summary import EventType, MartSummary, Sum, Summary, summarise

__all__ = [
    "ColumnDifference",
    "Comparison",
    "EventType",
    "MartDifference",
    "MartSummary",
    "RowDifference",
    "Sum",
    "Summary",
    "summarise",
    "verify",
]
