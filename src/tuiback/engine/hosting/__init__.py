"""The engine of a home as a process: its lock, thread and socket, and how others reach or examine it."""
