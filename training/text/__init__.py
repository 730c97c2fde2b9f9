"""Training of the text semantic encoder: sentences from a grammar of ours, heads on MiniLM."""
