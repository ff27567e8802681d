"""Evaluations beyond `dcign evaluate`: upper bounds of a network, detector recall, swap error by distance.

Comes in: a data set, or a run and its data set. Goes out: a JSON file beside the run.
Never imports: the renderer or the face model.
"""
