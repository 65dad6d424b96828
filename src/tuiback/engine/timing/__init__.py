"""When things are due: allowed hours, cron expressions, paces, and what is late."""
