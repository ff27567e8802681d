"""Paths, atomic files and folder locks, on this machine or in an object store.

In: paths and URLs by name, and bytes to write. Out: files that are complete or absent, local copies, locks.
Imports no other part of dcign but its errors.
"""
