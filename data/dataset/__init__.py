"""A folder of shards: manifest, reader, summary, contact sheet."""
