"""A study from its request to its published run: what is asked, and how it is computed."""

from planalign.study.request import Request, configuration, provenance_of
from planalign.study.run import Completed, run_study

__all__ = ["Completed", "Request", "configuration", "provenance_of", "run_study"]
