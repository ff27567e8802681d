"""Rendering speed: stock pyrender, raw OpenGL, our batch renderer and the whole `dcign render`.

Comes in: picture sizes. Goes out: images per second of each path. Run it with `python -m benchmarks.render`.
Never imports: torch, or what trains networks.
"""
