"""What to do and when: the engine runs tasks, restores and exports, and tells consoles what it is doing.

Its parts stand on each other, the lowest first: what all share lies here (home, commands, clock ...); timing,
archives, settings; tenancy and upkeep; backups, restores, signalling; and hosting, which makes it a process.
"""
