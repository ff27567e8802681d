"""Who there is: drawing people at random from a morphable model."""

from __future__ import annotations

import numpy as np

from facegen.model import Float, MorphableModel

# How strongly the colours of a face follow the sex of its shape: a correlation. It leaves every single coefficient
# N(0, 1); without it every other broad jaw would come with made-up lips.
SEX_CORRELATION = 0.8


def sample_identity(model: MorphableModel, rng: np.random.Generator, keep_size: bool = False) -> tuple[Float, Float]:
    """One person's coefficients: shape (Ks,) and albedo (Ka,), each N(0, 1).

    Head size mimics the camera's distance, so it is left at the mean unless keep_size.
    """
    shape = rng.standard_normal(model.shape_modes)
    albedo = rng.standard_normal(model.albedo_modes)
    if model.size_mode is not None and not keep_size:
        shape[model.size_mode] = 0.0
    if model.sex_shape is not None and model.sex_albedo is not None:
        own = model.sex_albedo @ albedo
        shared = SEX_CORRELATION * (model.sex_shape @ shape) + np.sqrt(1 - SEX_CORRELATION**2) * own
        albedo += (shared - own) * model.sex_albedo
    return shape.astype(np.float32), albedo.astype(np.float32)
