"""Backs up and restores the mail of mailboxes."""

from tuiback.connectors.exchange.backup import ExchangeBackup
from tuiback.connectors.exchange.restore import ExchangeRestore

__all__ = ["ExchangeConnector"]


class ExchangeConnector(ExchangeBackup, ExchangeRestore):
    """Exchange Online: mail folders, and messages as JSON properties and MIME."""
