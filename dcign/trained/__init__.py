"""A trained run, opened: network, calibration and evaluation."""
