"""Heads that are not ours: how well a network reads them, by `python -m benchmarks.foreign_heads`.

In: a folder of meshes, or the files of ICT-FaceKit and MakeHuman. Out: meshes of single heads, pictures by stock
pyrender with labels, and the scores of `dcign evaluate --photos`. Never imports the training loop or our shaders.
"""
