"""The recipes on the data sets that papers share, and a stand-in for 3D Shapes: `python -m benchmarks.shared_sets`."""
