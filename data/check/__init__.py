"""Whether shards keep their promise."""
