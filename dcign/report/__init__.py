"""Evaluations shown: as text at a terminal, as one HTML page of a run, and side by side over runs and seeds."""

from dcign.report.comparison import compare, comparison_json, comparison_table
from dcign.report.comparison_page import refuse_comparison_file, write_comparison
from dcign.report.page import refuse_report, write_report
from dcign.report.table import evaluation_table

__all__ = [
    "compare",
    "comparison_json",
    "comparison_table",
    "evaluation_table",
    "refuse_comparison_file",
    "refuse_report",
    "write_comparison",
    "write_report",
]
