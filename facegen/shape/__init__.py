"""How head shapes vary. In: a template, its regions and landmarks, and tables of published measurements.

Out: a mean head and independent shape modes that reproduce the measurements. Never imports skin, hair or files.
"""
