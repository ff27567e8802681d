"""The evaluation of a trained run against the labels of its data set.

In: a run and a data set's splits. Out: evaluation.json, calibration.json and directions.json. Never imports figures,
reports or training.
"""
