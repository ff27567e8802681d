"""The shard: its schema, writer, reader and label checks. The only package that touches HDF5."""
