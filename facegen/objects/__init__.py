"""Any object in a face's place: triangle meshes of a folder, made alike and packed into one file."""
