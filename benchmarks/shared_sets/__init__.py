"""The recipes on the data sets that papers share, and a stand-in for 3D Shapes: `python -m benchmarks.shared_sets`.

In: files of these data sets. Out: imported data sets, runs, and the table that papers print. Never imports the tests.
"""
