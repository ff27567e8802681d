"""The demo, fitted to the machine: `python -m benchmarks.demo`.

In: a folder and a number of minutes. Out: a data set, two runs, pictures and a report in the folder. Never imports the
tests; it renders and trains with the commands that users have.
"""
