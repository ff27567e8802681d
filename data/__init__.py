"""Shards and data sets: schema, writer, reader, checks and exporters.

In: batches of images and labels. Out: HDF5 shards, data set folders, and other formats.
The only package that uses h5py for shards; it imports neither facegen nor render nor the trainer.
"""
