"""Plotly figures of a run, as pure functions: notebook, report and dashboard share them.

What a run did: `timeline`, `memory`, `cores`, `compare_models`. What it found, of
`read_results`: `headcount`, `payroll`, `plan_cost`, `event_counts`. Each returns a
`plotly.graph_objects.Figure`, with `dark=True` for a dark page. `focus` moves a timeline to
a model.
"""

from planalign.charts.models import compare_models
from planalign.charts.outcomes import event_counts, headcount, payroll, plan_cost
from planalign.charts.process import cores, memory
from planalign.charts.results import Results, read_results
from planalign.charts.schedule import focus, timeline

__all__ = [
    "Results",
    "compare_models",
    "cores",
    "event_counts",
    "focus",
    "headcount",
    "memory",
    "payroll",
    "plan_cost",
    "read_results",
    "timeline",
]
