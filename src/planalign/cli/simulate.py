"""`planalign simulate`: placeholder."""

from planalign.errors import EnvironmentFaultError


def simulate() -> None:
    """Say that this command is not there yet."""
    raise EnvironmentFaultError("simulate is not there yet")
