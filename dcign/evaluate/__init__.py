"""Evaluation against the truth."""
