"""How well a network reads photographs whose factors are known.

In: a TrainedRun, a folder of pictures and a CSV file of labels. Out: scores, and their range over framings. Never
imports the training loop, the renderer or the face model.
"""
