"""A trained run, opened in one place: its network, calibrations and evaluation.

Comes in: the folder of a run, or of an exported network. Goes out: a TrainedRun.
Never imports the training loop, the renderer or the face model.
"""
