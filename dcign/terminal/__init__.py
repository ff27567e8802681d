"""What the command line shows and reads: shared options, error sentences, progress bars.

Comes in: words of a command line, and callbacks' numbers. Goes out: Python values, and text on a terminal.
Never imports numpy, torch or OpenGL before a command needs them.
"""
