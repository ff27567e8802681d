"""The morphable model, a person as coefficients, and drawing people at random.

In: arrays, or a random generator. Out: faces (N, V, 3), mm, and colours, sRGB.
It never imports the sculpture, the template or files.
"""
