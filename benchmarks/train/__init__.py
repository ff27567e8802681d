"""Training speed: our training step against a plain eager PyTorch loop.

In: data sets. Out: images per second of each loop. Run it with `python -m benchmarks.train`.
Never imports: the renderer. It starts `dcign render` as a process where a data set is missing.
"""
