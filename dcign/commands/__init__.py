"""The commands of the command line, one file per command: parse, call, print.

In: the words of the command line. Out: printed lines and exit codes. Never imports at its top what is slow to import
(torch, pyrender, h5py): each command imports it when it runs.
"""
