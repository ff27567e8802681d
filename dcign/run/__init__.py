"""A run on disk: configuration, checkpoint and log."""
