"""What both ends of the link need: the face prior, PHY framing, codecs, configuration and errors.

It imports none of the services, and importing the package itself imports nothing else.
"""
