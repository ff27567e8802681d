"""The image sizes that networks take; here because `dcign inspect` asks for them without importing torch."""

SMALLEST, LARGEST = 28, 256  # px
