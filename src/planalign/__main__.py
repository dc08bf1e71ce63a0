"""`python -m planalign`: the command line."""

from planalign.cli.app import main

main()
