"""Time to quality: how long recipes train until their reconstructions of unseen people are good enough.

In: a data set. Out: a table or JSON, and with --out the runs.
Never imports: the renderer or the face model.
"""
