"""The pictures of a run, all of people held out of training: boards of faces and charts, for PNGs and for the report.

traversal.png       one latent moved at a time, the others left
inferred.png        inferred against true factor, over the sweeps
reconstruction.png  originals above what comes back through the code: as they come, best, median, worst
relight.png         one picture re-lit and turned, above the renderer's truth (the paper's figures 4 and 5a)
"""
