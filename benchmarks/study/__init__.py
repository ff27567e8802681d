"""The studies of docs/results.md: trainings of every recipe and ablation, their tables and their chart.

In: a data set. Out: evaluated runs, and the tables and chart of docs/results.md.
Never imports: torch. It trains by starting `dcign train` as processes.
"""
