"""How everything stands, and who is told: the picture, alerts, mails, webhooks, pings and metrics."""
