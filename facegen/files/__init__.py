"""Model files, the cache, and exported meshes."""
