"""Shards in, a disentangled code out: clamped-latent VAE training and its evaluation."""

__version__ = "0.1.0"
