"""How head shapes vary: modes conditioned on published measurements."""
