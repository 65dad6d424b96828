"""Keeps repositories in order: retention, prune, checks and repairs, holds, audit and search files."""
