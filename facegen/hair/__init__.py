"""The hair surface and how it fits each head."""
