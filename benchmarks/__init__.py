"""Measurements, kept so that anybody can repeat them: `python -m benchmarks.render`."""
