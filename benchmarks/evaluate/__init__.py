"""Evaluations beyond `dcign evaluate`: upper bounds of a network, detector recall, swap error by distance.

In: a data set, or a run and its data set. Out: a JSON file beside the run.
Never imports: the renderer or the face model.
"""
