"""The pictures of a run, all of people that were held out of training.

Comes in: a TrainedRun and its data set. Goes out: picture grids and charts, as PNGs and for the report.
Never imports the renderer or the face model.

traversal.png       one latent moved at a time, the others unchanged
inferred.png        inferred against true factor, on the sweeps
reconstruction.png  originals above their reconstructions: unsorted, best, median, worst
relight.png         one picture at other values of each factor, above the renderer's truth (the paper's figures 4, 5a)
"""
