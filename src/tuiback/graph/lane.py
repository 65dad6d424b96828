"""Requests on behalf of one account of one service: objects, pages, bodies, files, writes."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from tuiback.errors import CursorExpired, GraphError, ItemGone
from tuiback.graph.batch import Batch, are_repeatable
from tuiback.graph.batch_format import Answered, Member
from tuiback.graph.caller import Ask, Caller
from tuiback.graph.decoding import read_object
from tuiback.graph.download import Download
from tuiback.graph.leftovers import Leftovers
from tuiback.graph.limits import request_units
from tuiback.graph.retry import MOST_SERVER_ERROR_TRIES
from tuiback.graph.transport import is_private
from tuiback.graph.upload import FRAGMENT_BYTES, Upload

_VERSION = "/v1.0"
# Low is shed first when the directory is busy, which leaves the limits as they are:
# https://learn.microsoft.com/graph/throttling-limits
_PRIORITY = {"x-ms-throttle-priority": "low"}


class Page(msgspec.Struct, frozen=True):
    """One page of a list. The last page of a delta has `delta_link`; all others `next_link`, or neither at the end."""

    items: list[dict[str, Any]]
    next_link: str | None
    delta_link: str | None


class Lane:
    """One account's requests. A path starts with / and follows the version: "/users/{id}/messages".

    All methods raise GraphError and its children for this request alone, MicrosoftRefuses when nothing can go on.
    """

    def __init__(self, caller: Caller, graph_url: str, service: str, account: str, *, urgent: bool = False) -> None:
        self._caller = caller
        self._urgent = urgent
        self._root = graph_url
        self._service = service
        self._account = account

    async def get(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The object at a path or link."""
        return await self._object(self._ask("GET", path, params=params, headers=headers))

    async def pages(
        self,
        path_or_link: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        most_server_errors: int = MOST_SERVER_ERROR_TRIES,
    ) -> AsyncGenerator[Page, None]:
        """All pages from a path or link on. Links are opaque: they are followed byte for byte.

        Who has a smaller page to ask for says after how many server errors that is the better thing to do.
        """
        link: str | None = path_or_link
        while link is not None:
            ask = self._ask("GET", link, params=params, headers=headers)
            page = _page(await self._object(replace(ask, most_server_errors=most_server_errors)), link)
            yield page
            link, params = page.next_link, None

    async def stream(self, path: str, *, headers: Mapping[str, str] | None = None) -> AsyncGenerator[bytes, None]:
        """The body at a path, once. A break within it raises GraphError: the caller starts over."""
        ask = replace(self._ask("GET", path, headers=headers), whole=False)
        async with self._caller.open(ask) as response:
            async for piece in self._caller.body(response, ask.subject):
                yield piece

    async def batch(self, members: Sequence[Member], *, chain: bool = True) -> list[Answered | GraphError]:
        """What each of up to 20 requests was answered, or the error that ended it, in their order.

        In a `chain` they are carried out one after another and take one place at the service. Raises BatchRefused
        when the service does not take them together.
        """
        answers: dict[int, Answered | GraphError] = {}
        async for come in self.answers(members, chain=chain):
            answers |= come
        return [answers[place] for place in range(len(members))]

    async def answers(
        self, members: Sequence[Member], *, chain: bool = True
    ) -> AsyncGenerator[Mapping[int, Answered | GraphError], None]:
        """The same answers by their places, as they come: what has to be tried again holds up no other."""
        ask = self._ask("POST", "/$batch", headers={"Content-Type": "application/json"})
        shared = chain and are_repeatable(members)
        leftovers = self._caller.leftovers_of(ask) if shared else Leftovers()
        batch = Batch(self._caller, ask, members, chain=chain, leftovers=leftovers)
        async with aclosing(batch.answers()) as rounds:
            async for come in rounds:
                answers: dict[int, Answered | GraphError] = {}
                for place, answer in come.items():
                    if not isinstance(answer, Answered | GraphError):
                        raise answer
                    answers[place] = answer
                yield answers

    def download(
        self, path: str, *, etag: str = "", size: int | None = None, link: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """A file's bytes through its /content path, or the `link` that a listing told; resumed where it broke off.

        `etag` must still hold when it is resumed, unless the service names another for the bytes; `size` is
        believed only when the service states none.
        """
        ask = replace(self._ask("GET", path, headers={"Accept": "*/*"}), whole=False, redirects=True)
        return Download(self._caller, ask, etag=etag, size=size, link=link).chunks()

    async def post(
        self, path: str, body: Mapping[str, Any] | bytes, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer to a POST, which is never sent twice unless the service surely did not carry it out."""
        return await self._write("POST", path, body, headers)

    async def patch(
        self, path: str, body: Mapping[str, Any] | bytes, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The object after a PATCH."""
        return await self._write("PATCH", path, body, headers)

    async def delete(self, path: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Make sure that nothing is there: what is gone already is as good."""
        try:
            await self._caller.send(self._ask("DELETE", path, headers=headers))
        except ItemGone:
            return

    async def put_bytes(
        self,
        path: str,
        data: bytes,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The object after `data` became its content: files up to some megabytes, and all empty ones."""
        given = {"Content-Type": "application/octet-stream", **(headers or {})}
        return await self._object(self._ask("PUT", path, params=params, headers=given, content=data))

    async def upload(
        self,
        create_path: str,
        create_body: Mapping[str, Any],
        data: AsyncIterator[bytes],
        size: int,
        *,
        fragment_bytes: int = FRAGMENT_BYTES,
    ) -> dict[str, Any]:
        """The object that an upload session made of `size` > 0 bytes. A failed session is deleted."""
        link = str((await self.post(create_path, create_body)).get("uploadUrl", ""))
        if not is_private(link):
            raise GraphError("the upload session has no safe address", create_path, "retry later")
        ask = Ask(self._service, self._account, "PUT", link, signed=False, units=2, urgent=self._urgent)
        return await Upload(self._caller, ask, data, size, fragment_bytes).run()

    async def _write(
        self, method: str, path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None
    ) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        return await self._object(
            self._ask(method, path, headers={"Content-Type": kind, **(headers or {})}, content=content)
        )

    async def _object(self, ask: Ask) -> dict[str, Any]:
        response = await self._caller.send(ask)
        return read_object(response.content, ask.subject)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> Ask:
        url = self._url(path)
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params, safe='$,', quote_via=quote)}"
        given = {**_PRIORITY, **(headers or {})} if self._service == "directory" else dict(headers or {})
        units = request_units(self._service, method, url)
        return Ask(self._service, self._account, method, url, given, content, units, urgent=self._urgent)

    def _url(self, path_or_link: str) -> str:
        """The address of a path, or a link of the same service: our token goes nowhere else."""
        if path_or_link.startswith("/"):
            return f"{self._root}{_VERSION}{path_or_link}"
        if urlsplit(path_or_link)[:2] == urlsplit(self._root)[:2]:
            return path_or_link
        # A token never follows a link to another host; a cursor of another cloud or simulator is worth nothing here.
        raise CursorExpired("a link leads away from the service", urlsplit(path_or_link).netloc, "list again")


def _page(answer: Mapping[str, Any], link: str) -> Page:
    items = answer.get("value")
    if not isinstance(items, list):
        raise GraphError("a list came without its items", urlsplit(link).path, "retry later", status=200)
    return Page(items, answer.get("@odata.nextLink"), answer.get("@odata.deltaLink"))
