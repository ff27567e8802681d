"""Evaluations as text, as an HTML page of one run, and as a comparison of several runs.

Comes in: evaluated runs and their pictures. Goes out: text, report.html, compare.html or compare.png.
Never imports the renderer or the face model.
"""

from dcign.report.comparison import compare, comparison_json, comparison_table
from dcign.report.comparison_page import has_pictures, refuse_comparison_file, write_comparison
from dcign.report.measurement_table import measurement_table
from dcign.report.page import refuse_report, write_report
from dcign.report.table import evaluation_table

__all__ = [
    "compare",
    "comparison_json",
    "comparison_table",
    "evaluation_table",
    "has_pictures",
    "measurement_table",
    "refuse_comparison_file",
    "refuse_report",
    "write_comparison",
    "write_report",
]
