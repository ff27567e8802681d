"""A procedural morphable face, loaders of published face models, and folders of meshes.

In: coefficients, model files, mesh files. Out: meshes with colours and landmarks.
It never imports render, data or the trainer.
"""
