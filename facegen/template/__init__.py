"""The mean head as a mesh: vertices, triangles, regions, parts, landmarks and texture coordinates."""
