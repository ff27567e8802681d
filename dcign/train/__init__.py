"""The training loop, its clamp and its loss."""
