"""Colours of the skin, brows and eyes of a population."""
