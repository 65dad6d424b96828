"""Runs of tasks: when they start, how many accounts they take at once, and how each account is backed up."""
