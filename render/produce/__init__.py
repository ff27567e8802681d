"""Making a data set: studio, workers, folder, verification, card."""
