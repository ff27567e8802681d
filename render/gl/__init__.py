"""The OpenGL context, framebuffers, shaders and textures."""
