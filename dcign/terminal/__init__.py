"""In: arguments of a command line, errors, and the progress that library functions report.

Out: Python values, and sentences and progress bars in the terminal.
Never imports numpy, torch or OpenGL before a command needs them.
"""
