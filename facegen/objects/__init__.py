"""Meshes of any kind as a data set's subjects (docs/meshes.md). In: a folder of mesh files.

Out: a Collection of packed objects of one size, and its file. Never imports the face: shape, skin, hair or loaders.
"""
