"""`planalign bench`: placeholder."""

from planalign.errors import EnvironmentFaultError


def bench() -> None:
    """Say that this command is not there yet."""
    raise EnvironmentFaultError("bench is not there yet")
