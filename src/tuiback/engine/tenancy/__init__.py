"""Tenants and their apps: registered, checked, renewed, and who in them is protected by nothing."""
