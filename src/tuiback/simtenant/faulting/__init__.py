"""Troubles with a name: what the service and the network are known to do wrong, one at a time or by chance."""
