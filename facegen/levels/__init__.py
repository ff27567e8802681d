"""Levels of detail of the procedural model (levels.py) and of models read from files (decimation.py).

In: a morphable model or its mesh. Out: coarser meshes of the same people.
It never imports the sculpture, the template or files.
"""
