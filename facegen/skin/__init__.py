"""The colours of people. In: a template and its regions; coefficients, sex and age.

Out: colours at vertices and texels, sRGB. Never imports shape, hair, levels, files or loaders.
"""
