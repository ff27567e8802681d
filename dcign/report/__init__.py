"""Evaluations shown: as text at a terminal, as one HTML page of a run, and side by side over runs and seeds."""

from dcign.report.page import refuse_report, write_report
from dcign.report.table import evaluation_table

__all__ = ["evaluation_table", "refuse_report", "write_report"]
