"""Readers of other people's data: one file per layout, all with the interface of `source.py`.

In: the path of a file or a folder. Out: a `Source`, its label columns in memory and its images as a stream. Nothing is
unpickled. Never imports the rest of data but its schema and the error sentences of shards.
"""
