"""Exporters: each writes a format that the format's own loaders can read.

In: a data set folder. Out: a new folder of PNG files, .npz, 3D Shapes HDF5 or WebDataset tars.
Imports the reader; never facegen, render or the trainer.
"""
