"""The mean head as a signed distance function, feature by feature."""
