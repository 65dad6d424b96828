"""Holds what exists now: generated content with everything written since laid over it."""
