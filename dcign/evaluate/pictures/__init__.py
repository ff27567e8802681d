"""How near decoded pictures are to the truth: reconstructions, swaps, re-renderings, refined and recombined ones.

In: a codec, the pictures and codes of a split. Out: figures for evaluation.json. Never imports the metrics of codes,
nor what puts an evaluation together.
"""
