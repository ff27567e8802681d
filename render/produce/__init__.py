"""Production: draw batch plans in worker processes or on a cluster, write the folder, verify it, make portraits.

In: a configuration, and a face model or packed meshes. Out: a data set folder, findings about it, or PNG files.
Never imports h5py: shards are read and written through data.
"""
