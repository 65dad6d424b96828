"""What a home is told to do: tenants, tasks, retention, limits, channels, and all of it as one document."""
