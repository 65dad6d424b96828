"""The services of Microsoft 365 that tuiback backs up, each behind the same protocol."""

from typing import Protocol

from tuiback.connectors.base import Connector
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.onedrive import OneDriveConnector
from tuiback.graph import GraphClient
from tuiback.model import AccountKind

__all__ = ["CONNECTORS", "ConnectorType"]


class ConnectorType(Protocol):
    """A connector's class: what it is for can be read before there is a client to make one with."""

    service: str
    kind: AccountKind
    throttled_as: str
    native_part: str
    native_suffix: str

    def __call__(self, graph: GraphClient) -> Connector:
        """A connector that works through this app's client."""
        ...


CONNECTORS: tuple[ConnectorType, ...] = (ExchangeConnector, OneDriveConnector)
