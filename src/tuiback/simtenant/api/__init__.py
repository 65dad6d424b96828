"""Answers requests in the shapes of Microsoft Graph and of its sign-in service."""
