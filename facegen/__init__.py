"""A procedural morphable face: coefficients in, mesh, albedo and landmarks out."""
