"""Parquet files that Hugging Face's `datasets` and the hub read, with their card and croissant.json.

In: the splits of a data set. Out: data/SPLIT-00000-of-0000N.parquet, README.md, croissant.json.
Imports the exporters' split and labels; never facegen, render or the trainer. pyarrow is imported when it is used.
"""
