"""The face prior: noise to style latent, style latent to face."""
