"""OpenGL: context, devices, framebuffers, shader programs and textures.

In: arrays and the GLSL files in shaders/. Out: OpenGL handles, and pixels read back as arrays.
Never imports facegen or the rest of render; of data it uses constants of the schema and the doctor's subprocess.
"""
