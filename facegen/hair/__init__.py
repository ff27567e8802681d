"""The hair layer. In: a template and a table of haircuts.

Out: one closed surface over the bare head, and its displacements by cut. Never imports shape, skin, files or loaders.
"""
