"""An evaluation.json of a small run, as far as exports and figures read it."""

from __future__ import annotations

SCORE = {"latent": 0, "r2": 0.91234, "mean_absolute_error": 2.5, "leakage_r2": -0.001, "rerender": {"psnr_db": 23.45}}
EVALUATION = {
    "format": "dcign-evaluation",
    "version": 1,
    "recipe": "swap",
    "network": "strided",
    "assigned_latents": True,
    "image": {"size": 32, "channels": 1},
    "steps": 2,
    "images_seen": 16,
    "seconds": 1.5,
    "seed": 0,
    "data_sha256": "none",
    "factors": {"across": SCORE, "tilt_up": SCORE | {"latent": 1}},
    "reconstruction": {"psnr_frame_db": 21.5, "psnr_head_db": None},
    "latents": {"count": 32, "alive": 3},
    "mig": 0.5,
}
