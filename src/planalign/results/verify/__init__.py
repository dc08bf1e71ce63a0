"""Whether two runs have the same bits, and which rows and columns differ first."""

from planalign.results.verify.marts import verify
from planalign.results.verify.outcome import (
    ColumnDifference,
    Comparison,
    MartDifference,
    RowDifference,
)

__all__ = ["ColumnDifference", "Comparison", "MartDifference", "RowDifference", "verify"]
