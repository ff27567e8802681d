"""Model files, the cache of models, and exported meshes.

In: a morphable model, or the path of a file. Out: a file, or the model in it.
It never imports what makes models: build, loaders, hair, levels and shape.
"""
