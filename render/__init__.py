"""Face, view and light in, pixels and shards out. The only package that touches OpenGL."""
