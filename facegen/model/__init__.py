"""The morphable model, a person as coefficients, and drawing people at random."""
