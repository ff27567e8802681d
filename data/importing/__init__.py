"""Turn a source into a data set: choose its labels, plan its batches, stream its images (docs/import.md).

In: a `Source` and the user's choices. Out: a plan to print, and a data set folder. Never imports facegen or render.
"""
