"""Checks of shards and data sets.

In: an open data set or shard. Out: findings, one sentence each.
Imports the reader; never the renderer.
"""
