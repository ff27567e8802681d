"""Paths, atomic files and locks, local or in an object store."""
