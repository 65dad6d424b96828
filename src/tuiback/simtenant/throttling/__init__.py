"""Throttles requests as Microsoft publishes that its services do."""
