"""Loaders of other people's morphable models (docs/models.md). In: the files that their publishers give out.

Out: a MorphableModel in this project's conventions. Never imports shape, hair, skin or objects.
"""
