"""One shard, an HDF5 file of batches.

In: batches to write, or a file to open. Out: the file, or its header and where its data lie.
Imports schema and damage only; never dataset.
"""
