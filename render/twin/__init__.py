"""Slow, plain numpy twins of the renderer, which tests compare it with.

In: one face as arrays, labels, and a scene. Out: the image, mask and layers of truth that OpenGL should draw.
Never calls OpenGL or pyrender.
"""
