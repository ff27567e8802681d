"""In: the name of a recipe and settings such as `mirror=false`. Out: a `Recipe`, everything in which trainings differ.

Never imports torch or any later stage: a recipe is data.
"""
