"""A trained network at work: codes of data sets, and edited pictures.

Comes in: a TrainedRun, and a data set or a picture. Goes out: arrays of codes, and pictures.
Never imports the training loop, the renderer or the face model.
"""
