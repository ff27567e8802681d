"""One shard: its columns, layout, writer and reader."""
