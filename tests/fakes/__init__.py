"""One small stand-in for every seam. Together they are a whole link whose faces are five grey bars, one per attribute.

The bar's brightness is the attribute's degree, which sits in the latent's first row, so that everything that must
survive the link can be read off the picture that leaves it.
"""
