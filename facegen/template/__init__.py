"""The mean head as a mesh: vertices, triangles, regions, parts, landmarks and texture coordinates.

In: the sculpture's signed distance. Out: a symmetric, closed mesh and what each of its vertices is.
It never imports the morphable model, skin, hair or files.
"""
