"""In: a .gltf or .glb file. Out: the parts of its scene, triangles with colours or textures.

Never imports other formats, except for shared parts.
"""
