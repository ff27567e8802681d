"""Rendering speed: stock pyrender, raw OpenGL, our batch renderer and the whole `dcign render`.

In: picture sizes. Out: images per second of each path. Run it with `python -m benchmarks.render`.
Never imports: torch, or what trains networks.
"""
