"""The only way to Microsoft: signed in, under the limits, and patient."""

# ruff: noqa: E402
import sys

# httpx loads its own command line, with rich and pygments, wherever those can be found. Nobody here uses it, and it
# is a tenth of what a run loads: None tells Python that there is no such module, which httpx is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

from tuiback.graph.batch import MOST_MEMBERS, Answered, BatchRefused, Member
from tuiback.graph.client import GraphClient
from tuiback.graph.identity import AppIdentity, GivenToken
from tuiback.graph.lane import Lane, Page
from tuiback.graph.limits import Limits, Measure, ServiceLimits, Window, published
from tuiback.graph.throttle import Allowance, ThrottleFigures

__all__ = [
    "MOST_MEMBERS", "Allowance", "Answered", "AppIdentity", "BatchRefused", "GivenToken", "GraphClient", "Lane",
    "Limits", "Measure", "Member", "Page", "ServiceLimits", "ThrottleFigures", "Window", "published",
]  # fmt: skip
