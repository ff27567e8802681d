"""Ways out of a data set: the same images and labels in the formats that other people's loaders read."""
