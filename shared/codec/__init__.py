"""Codes between a style latent and complex channel symbols."""
