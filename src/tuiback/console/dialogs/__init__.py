"""The console's dialogs, one a file; what destroys or writes defaults to Cancel."""
