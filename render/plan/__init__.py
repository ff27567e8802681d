"""What to render: configuration, ranges, and batch k as numbers."""
