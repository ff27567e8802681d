"""The batch renderer: scene and views in, pixels and truth out."""
