"""`python -m planalign`: the command line, and where its script begins."""

import signal
import sys

# `-m` puts the working folder first, whose files would be taken for the modules of their
# names. Options of Python that leave it out need not be known by heart.
if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]


def main() -> None:
    """Run the command line; Ctrl-C before it is there ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from planalign.cli.app import main as run  # noqa: PLC0415 - takes the most of a start

    run()


if __name__ == "__main__":
    main()
