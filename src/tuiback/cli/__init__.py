"""The command line: headless verbs, and the only place where everything is wired together."""
