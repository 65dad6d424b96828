"""The only way to Microsoft: signed in, under the limits, and patient."""

# ruff: noqa: E402
import ssl
import sys
from importlib import import_module

# httpx loads its own command line, with rich and pygments, wherever those can be found. Nobody here uses it, and it
# is a tenth of what a run loads: None tells Python that there is no such module, which httpx is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def _load_aiohttp() -> None:
    """Without the machine's authorities, which it would read for clients that name none; each one here names its own.

    That is a fifth of what it takes to load, and a client that did name none would trust nobody.
    """
    read = ssl.SSLContext.load_default_certs
    ssl.SSLContext.load_default_certs = lambda *_: None  # type: ignore[method-assign]
    try:
        import_module("aiohttp")
    finally:
        ssl.SSLContext.load_default_certs = read  # type: ignore[method-assign]


_load_aiohttp()

from tuiback.graph.batch import BatchRefused
from tuiback.graph.batch_format import MOST_MEMBERS, Answered, Member
from tuiback.graph.client import GraphClient
from tuiback.graph.identity import AppIdentity, GivenToken
from tuiback.graph.lane import Lane, Page
from tuiback.graph.limits import Limits, Measure, ServiceLimits, Window, published
from tuiback.graph.throttle import Allowance, ThrottleFigures

__all__ = [
    "MOST_MEMBERS", "Allowance", "Answered", "AppIdentity", "BatchRefused", "GivenToken", "GraphClient", "Lane",
    "Limits", "Measure", "Member", "Page", "ServiceLimits", "ThrottleFigures", "Window", "published",
]  # fmt: skip
