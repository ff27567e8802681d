"""The mean head as a signed distance function, feature by feature.

In: points (N, 3), mm, and the tables of this package. Out: distances (N,), mm, and the landmarks.
It never imports the mesh, the morphable model or files.
"""
