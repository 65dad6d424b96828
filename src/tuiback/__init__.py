"""Backs Microsoft 365 up to a NAS, from an htop-style console over SSH."""

__version__ = "0.1.0"
