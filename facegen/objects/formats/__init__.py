"""One module per mesh format. In: a file. Out: its parts, with colours or textures, and the pictures that are missing.

Each reads its format completely or refuses the file by name. Never imports the rest of objects.
"""
