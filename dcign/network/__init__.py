"""In: a recipe and a description of the images. Out: the auto-encoder, an encoder and a decoder.

Never imports training or data.
"""
