"""The auto-encoder."""
