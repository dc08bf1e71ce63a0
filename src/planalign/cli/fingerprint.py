"""`planalign fingerprint`: what a run holds, as one digest per mart."""

from planalign.cli.options import Json, Replicate, RunFolder, Scenario
from planalign.cli.output import emit, emit_json


def fingerprint(
    run: RunFolder, scenario: Scenario = None, replicate: Replicate = None, json: Json = False
) -> None:
    """Print a digest of every mart and of all together.

    It covers every column and bit and does not depend on the order of rows, on
    the runner, or on the version of DuckDB: equal digests mean equal results.
    Left out is dim_run, which says what the run was computed from.

    Keys of --json: the name of each mart, and "all".
    """
    from planalign.results import open_run  # noqa: PLC0415 - duckdb is slow to import
    from planalign.results.fingerprint import fingerprint as compute  # noqa: PLC0415

    with open_run(run) as opened:
        digests = compute(opened, scenario, replicate)
    if json:
        emit_json(digests)
        return
    width = max(map(len, digests))
    for mart, digest in digests.items():
        emit(f"{mart:<{width}}  {digest}")
