"""In: a run's configuration and batches of images. Out: a run's folder with checkpoint and log.

Never imports evaluation, figures or reports.
"""
