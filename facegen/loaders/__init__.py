"""Morphable models of others, read from the files that their makers publish (docs/models.md)."""
