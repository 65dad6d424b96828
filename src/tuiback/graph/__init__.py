"""The only way to Microsoft: signed in, under the limits, and patient."""

from tuiback.graph.client import GraphClient
from tuiback.graph.identity import AppIdentity
from tuiback.graph.lane import Lane, Page
from tuiback.graph.limits import PUBLISHED, UNLIMITED, Limits, ServiceLimits, Window
from tuiback.graph.throttle import ThrottleFigures

__all__ = [
    "PUBLISHED", "UNLIMITED", "AppIdentity", "GraphClient", "Lane", "Limits", "Page", "ServiceLimits",
    "ThrottleFigures", "Window",
]
