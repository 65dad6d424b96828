"""Brings content back: to Microsoft 365, into a folder or a .zip, as jobs that survive and can be cancelled."""
