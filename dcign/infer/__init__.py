"""Encoding data sets, and editing pictures."""
