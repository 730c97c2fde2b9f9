"""The comparison: every method over the same channel, on the same faces, at the same channel uses."""
