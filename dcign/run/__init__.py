"""In: the options of a run, its state, its losses. Out: its folder: configuration, checkpoint and log, and back.

Never imports the network or the code that trains it.
"""
