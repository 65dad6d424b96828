"""Loads msal without its part for machines in Azure, whose libraries are most of what msal takes to load."""

import sys
from threading import Lock
from types import ModuleType
from typing import Any

# It alone needs requests, urllib3 and charset_normalizer; apps with a credential of their own have no use for it.
_FOR_MACHINES_IN_AZURE = "msal.managed_identity"
_loading = Lock()


class _LeftOut(ModuleType):
    """Has every name that msal's package takes over from the part that is left out."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def load_msal() -> Any:  # noqa: ANN401 - msal has no types
    """The package msal; whoever imports the part that is left out by its own name gets it, now and later."""
    with _loading:
        is_new = sys.modules.keys().isdisjoint({"msal", _FOR_MACHINES_IN_AZURE})
        if is_new:
            sys.modules[_FOR_MACHINES_IN_AZURE] = _LeftOut(_FOR_MACHINES_IN_AZURE)
        try:
            import msal
        finally:
            if is_new:
                del sys.modules[_FOR_MACHINES_IN_AZURE]
    return msal
