"""Make data sets of rendered pictures; `produce.production.render_dataset` is the entry point.

In: a configuration, and a face model or packed meshes. Out: a data set folder, pictures, or findings about a folder.
Never imports networks (torch) or the command line. Only this package imports pyrender and OpenGL.
"""
