"""Reads one file to its end, whatever breaks on the way: it resumes by range and renews a link that expired.

https://learn.microsoft.com/graph/api/driveitem-get-content
"""

import re
from collections.abc import AsyncGenerator
from urllib.parse import urljoin

import httpx
from msgspec.structs import replace

from tuiback.errors import GraphError
from tuiback.graph.caller import Ask, Caller
from tuiback.graph.faults import BodyBroke
from tuiback.graph.retry import backoff_seconds
from tuiback.graph.transport import is_private

# So many breaks or dead links in a row without one new byte end it.
_MOST_STALLS = 5
# What a link that ended answers: the service promises only that it works for minutes.
_ENDED = frozenset({401, 403, 404, 410})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Download:
    """One pass over the content of one file.

    `content_ask` is answered by a redirect to a pre-authenticated link, or by the bytes themselves; `link` is such a
    link that is known already, "" when none is. Either way the download costs what it costs once.
    """

    def __init__(self, caller: Caller, content_ask: Ask, *, etag: str, size: int | None, link: str = "") -> None:
        self._caller = caller
        self._ask = content_ask
        self._etag = etag
        self._host_etag = ""
        self._size = size
        self._link = link if is_private(link) else None
        self._link_is_fresh = False
        # What asks for a link pays for the download; a link that was listed was not paid for.
        self._link_units = 0 if self._link is None else content_ask.units
        self._bytes_read = 0
        self._total: int | None = None
        self._stalls = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes in order, each once. Raises GraphError when the file changed meanwhile or can't be read on."""
        while True:
            bytes_before = self._bytes_read
            try:
                async for piece in self._rest():
                    yield piece
            except GraphError as error:
                self._stalls = 0 if self._bytes_read > bytes_before else self._stalls + 1
                if self._stalls >= _MOST_STALLS or not self._can_go_on(error):
                    raise
            else:
                return
            await self._caller.throttle.rest(self._ask.service, backoff_seconds(self._stalls + 1, 0.0))

    def _can_go_on(self, error: GraphError) -> bool:
        if isinstance(error, BodyBroke):
            return True
        if error.status in _ENDED and self._link is not None and error.graph_code != "malwareDetected":
            # A link that never worked is refused for the file's sake, not for its age.
            may_renew = not self._link_is_fresh or self._stalls < 2
            self._link = None
            return may_renew
        return False

    async def _rest(self) -> AsyncGenerator[bytes, None]:
        """What is missing, through the link at hand or a new one."""
        if self._link is None:
            async with self._caller.open(self._ask) as response:
                location = response.headers.get("location", "")
                if response.is_success:
                    async for piece in self._take(response):
                        yield piece
                    return
            link = location if "://" in location else urljoin(self._ask.url, location)
            if not location or not is_private(link):
                raise GraphError("the content's redirect leads nowhere safe", self._ask.subject, "retry later")
            self._link, self._link_is_fresh, self._link_units = link, True, 0
        async with self._caller.open(self._link_ask(self._link)) as response:
            self._link_is_fresh = False
            async for piece in self._take(response):
                yield piece

    def _link_ask(self, link: str) -> Ask:
        """A request for the missing bytes. No token: the link is its own key, and its host is another."""
        # SharePoint answers 416 to a range without Accept, and ranges of a compressed body mean something else.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self._bytes_read:
            headers["Range"] = f"bytes={self._bytes_read}-"
            if self._host_etag or self._etag:
                headers["If-Match"] = self._host_etag or self._etag
        return replace(self._ask, url=link, headers=headers, units=self._link_units, signed=False, redirects=False)

    async def _take(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """The new bytes of a reply, which may start earlier than asked when the server ignores ranges."""
        start, total = _extent(response)
        self._check_same_file(response, start, total)
        to_skip = self._bytes_read - start
        async for piece in self._caller.body(response, self._ask.subject):
            fresh = piece[to_skip:] if to_skip else piece
            to_skip -= len(piece) - len(fresh)
            self._bytes_read += len(fresh)
            if fresh:
                yield fresh
        expected = self._size if self._total is None else self._total
        if expected is not None and self._bytes_read < expected:
            raise BodyBroke(
                f"the file broke off after {self._bytes_read} of {expected} bytes", self._ask.subject, "retry later"
            )

    def _check_same_file(self, response: httpx.Response, start: int, total: int | None) -> None:
        """Resumed bytes must belong to the same content as those before."""
        etag = response.headers.get("etag", "")
        if self._bytes_read:
            other_etag = bool(etag and self._host_etag) and etag != self._host_etag
            other_size = total is not None and self._total is not None and total != self._total
            if other_etag or other_size or start > self._bytes_read:
                raise GraphError("the file changed while it was read", self._ask.subject, "it is read anew later")
        else:
            # The link's host may tag the bytes in its own way; a weak tag does not stand for bytes.
            self._host_etag = "" if etag.startswith("W/") else etag
            self._total = total


def _extent(response: httpx.Response) -> tuple[int, int | None]:
    """Where the reply's bytes start in the file, and the file's size if stated."""
    if response.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if match is None:
            raise GraphError("a range came without its place", response.url.host, "retry later", status=206)
        return int(match[1]), None if match[3] == "*" else int(match[3])
    length = response.headers.get("content-length", "")
    return 0, int(length) if length.isdigit() and "content-encoding" not in response.headers else None
