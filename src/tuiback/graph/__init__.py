"""The only way to Microsoft: signed in, under the limits, and patient."""

from tuiback.graph.client import GraphClient
from tuiback.graph.identity import AppIdentity
from tuiback.graph.lane import Lane, Page
from tuiback.graph.limits import Limits, Measure, ServiceLimits, Window, published
from tuiback.graph.throttle import Allowance, ThrottleFigures

__all__ = [
    "Allowance", "AppIdentity", "GraphClient", "Lane", "Limits", "Measure", "Page", "ServiceLimits",
    "ThrottleFigures", "Window", "published",
]  # fmt: skip
