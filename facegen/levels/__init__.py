"""Levels of detail: coarser meshes of the same heads."""
