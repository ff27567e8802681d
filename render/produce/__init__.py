"""Making a data set: batch_renderer, workers, folder, verification, card."""
