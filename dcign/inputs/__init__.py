"""In: a data set's folder. Out: its description, labelled splits, and the batches and draws of training steps.

Never imports the network, and never knows what a factor means.
"""
