"""Measurements and stress tests that anybody can repeat, e.g. `python -m benchmarks.render`.

In: command-line options, data sets and runs. Out: tables and JSON, printed or beside the run.
Never imports: tests. Nothing in `dcign` imports `benchmarks`.
"""
