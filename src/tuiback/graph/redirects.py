"""Decides where a redirected request goes next, and whether our token may go along. Pure: it only decides.

A folder of a growing archive answers 308 with its address in another mailbox
(https://learn.microsoft.com/graph/handle-archive-mailbox-redirects), a report 302 with a pre-authenticated one
(https://learn.microsoft.com/graph/api/reportroot-getmailboxusagedetail).
"""

from urllib.parse import urljoin, urlsplit

import msgspec

from tuiback.graph.transport import is_private

# An archive grows by one mailbox at a time; more in a row lead round in a circle.
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# These keep the verb and the body, so that they are safe for writes as well: nothing was carried out yet.
_SAME_VERB = frozenset({307, 308})


class Next(msgspec.Struct, frozen=True):
    """The address to ask instead; `signed`: it is the same service, to which our token may go."""

    url: str
    signed: bool


def next_address(method: str, url: str, status: int, location: str) -> Next | None:
    """Where a reply of this status sends the request; None when it is not to be followed.

    Reads follow every redirect, writes only one that keeps verb and body, and only within the service. The token
    never leaves the service, and nothing goes where it could be read on the way.
    """
    if status not in REDIRECTS or not location:
        return None
    target = location if "://" in location else urljoin(url, location)
    same_service = urlsplit(target)[:2] == urlsplit(url)[:2]
    if method not in {"GET", "HEAD"} and not (same_service and status in _SAME_VERB):
        return None
    return Next(target, same_service) if is_private(target) else None
