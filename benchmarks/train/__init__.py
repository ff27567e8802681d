"""Training speed: our training step against a plain eager PyTorch loop.

Comes in: data sets. Goes out: images per second of each loop. Run it with `python -m benchmarks.train`.
Never imports: the renderer. It starts `dcign render` as a process where a data set is missing.
"""
