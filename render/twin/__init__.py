"""Slow, plain numpy twins of the renderer, for tests."""
