"""What to do and when: the engine runs tasks, restores and exports, and tells consoles what it is doing."""
