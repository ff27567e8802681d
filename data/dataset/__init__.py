"""A data set folder: manifest, reader, summary, contact sheet.

In: a folder with dataset.json, or one shard. Out: batches, whole splits, tables and pictures for people.
Imports shard; never check or export.
"""
