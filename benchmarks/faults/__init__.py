"""Fault injection: interrupted runs, damaged files, full disks, lost workers, and a fuzz campaign on file readers.

In: nothing but a seed; the data sets are made here. Out: counts of the outcomes, and the faults found.
Never imports: torch, or what trains networks.
"""
