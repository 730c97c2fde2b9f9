"""Frozen networks that judge a face as people do: how alike two pictures look, and whether they show one person."""
