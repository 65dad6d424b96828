"""A repository opened for writing, with its catalog kept in step: group commits, checkpoints, rebuilds."""
