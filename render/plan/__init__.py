"""Planning: the configuration of a data set, and batch k as numbers.

In: options or stored JSON, a seed, and a face model or packed meshes. Out: batch plans, backgrounds, and models read.
Never opens an OpenGL context and never writes a data set.
"""
