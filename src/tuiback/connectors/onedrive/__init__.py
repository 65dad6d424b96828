"""Backs up and restores the files of OneDrives."""

from tuiback.connectors.onedrive.backup import OneDriveBackup
from tuiback.connectors.onedrive.restore import OneDriveRestore

__all__ = ["OneDriveConnector"]


class OneDriveConnector(OneDriveBackup, OneDriveRestore):
    """OneDrive for Business: folders, and files as JSON properties and bytes."""
