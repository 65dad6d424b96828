"""Keeps the repository's objects in a bucket of an S3 store, each whole or not there at all, never replaced.

Endpoint, region and credentials come from the standard AWS variables, which obstore reads itself; they stand in no
URL, error or log. Create-only is a conditional PUT (If-None-Match: *):
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import ipaddress
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError
from obstore.store import ObjectStore, S3Store

from tuiback.errors import EnvironmentFault, UsageError
from tuiback.store.backend import AlreadyThere, probe_place
from tuiback.store.object_faults import Refusal, refusal_of, told

Answer = TypeVar("Answer")

_FAILURES = (BaseError, FileNotFoundError)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX_SEGMENT = re.compile(r"(?!\.{1,2}$)[\w.+=@ -]+")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_CONNECT_TIME = timedelta(seconds=10)
# A pack of 16 MiB goes through an uplink of half a megabit in this time.
_REQUEST_TIME = timedelta(minutes=5)
# What S3 tells in one answer.
_PAGE_NAMES = 1000
_CREATE_ONLY = "it has no true create-only, so two writers could destroy each other's work"
_CHOOSE_STORE = "choose a store with conditional writes (AWS S3, SeaweedFS from 4.48 on)"


class Patience:
    """How long a failing store is asked again: with growing, jittered pauses, up to `seconds` after the first try.

    A store that has never answered gets only `seconds_before_first`: then it is rather the address that is wrong.
    """

    def __init__(
        self,
        seconds: float = 120,
        seconds_before_first: float = 5,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._seconds_before_first = seconds_before_first
        self._monotonic = monotonic
        self._sleep = sleep
        self.answered = False

    def tries(self) -> Iterator[int]:
        """The number of each try, from 1 on, after its pause; ends when patience does, never before the second."""
        started = self._monotonic()
        pause_seconds = 0.2
        number = 1
        while True:
            yield number
            limit = self._seconds if self.answered else self._seconds_before_first
            left = limit - (self._monotonic() - started)
            if number > 1 and left <= 0:
                return
            pause = pause_seconds * random.uniform(0.5, 1)  # noqa: S311 - it only spreads clients
            self._sleep(min(pause, left) if left > 0 else pause)
            pause_seconds = min(10, 2 * pause_seconds)
            number += 1


class ObjectBackend:
    """Objects below one prefix of a bucket. The bucket must be there: its owner makes it, with its own rules."""

    def __init__(
        self, store: ObjectStore, url: str, patience: Patience | None = None, page_names: int = _PAGE_NAMES
    ) -> None:
        self._store = store
        self.url = url
        self._patience = patience or Patience()
        self._page_names = page_names

    def prepare(self) -> None:
        """See Backend.prepare; a prefix needs no making, the bucket must be there already."""
        self._ask(self.url, self._require_bucket)

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """See Backend.create. The signature covers the hash of the bytes, so the store refuses what came changed.

        A name that is taken by these very bytes after a try without a clear answer was taken by that try.
        """
        tries = 0

        def put() -> None:
            nonlocal tries
            tries += 1
            try:
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
            except AlreadyExistsError as error:
                if refusal_of(error).passing:
                    raise
                if tries == 1 or self._get(name, 0, None) != b"".join(data):
                    raise AlreadyThere("the name is taken", name) from None
            except BaseError as error:
                if isinstance(error, NotSupportedError) or refusal_of(error).not_implemented:
                    raise EnvironmentFault(_CREATE_ONLY, self.url, _CHOOSE_STORE) from None
                raise

        self._ask(name, put)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See Backend.read."""
        return b"" if length == 0 else self._ask(name, lambda: self._get(name, offset, length))

    def size(self, name: str) -> int:
        """See Backend.size."""
        return self._ask(name, lambda: obstore.head(self._store, name)["size"])

    def modified(self, name: str) -> datetime:
        """See Backend.modified."""
        return self._ask(name, lambda: obstore.head(self._store, name)["last_modified"])

    def list(self, prefix: str) -> Iterator[str]:
        """See Backend.list; in the order in which the store tells its names."""
        folder, _, start = prefix.rpartition("/")
        inside = len(folder) + 1 if folder else 0
        # Names before this one can't match, so a long folder isn't told from its beginning.
        after = prefix[:-1] if len(start) > 1 else None
        while True:
            names = self._ask(prefix or self.url, partial(self._page, folder, after))
            for name in names:
                segment = name[inside:].partition("/")[0]
                if segment.startswith(start):
                    yield name
                elif segment > start:
                    return
            if len(names) < self._page_names:
                return
            after = names[-1]

    def delete(self, name: str) -> None:
        """See Backend.delete."""
        # S3 calls it success when there was nothing to delete.
        self.size(name)
        self._ask(name, lambda: obstore.delete(self._store, name))

    def probe(self) -> None:
        """See Backend.probe."""
        probe_place(self, f"{_CREATE_ONLY}, or it does not keep objects as written", _CHOOSE_STORE)

    def free_bytes(self) -> tuple[int, int]:
        """(0, 0): a bucket has no end that it tells, and its use is known only by listing all of it."""
        return 0, 0

    def _get(self, name: str, offset: int, length: int | None) -> bytes:
        try:
            if length is not None:
                return bytes(obstore.get_range(self._store, name, start=offset, length=length))
            if offset:
                return bytes(obstore.get(self._store, name, options={"range": {"offset": offset}}).bytes())
            return bytes(obstore.get(self._store, name).bytes())
        except BaseError as error:
            if refusal_of(error).beyond_end:
                return b""
            raise

    def _page(self, folder: str, after: str | None) -> tuple[str, ...]:
        # obstore matches a prefix by whole segments: "packs" gives packs/..., never packs2/...
        page = next(obstore.list(self._store, prefix=folder or None, offset=after, chunk_size=self._page_names), ())
        return tuple(meta["path"] for meta in page)

    def _require_bucket(self) -> None:
        self._page("", None)

    def _ask(self, subject: str, request: Callable[[], Answer]) -> Answer:
        """Send a request, again while it fails in a way that passes. Raises what told() makes of a refusal."""
        refusal = Refusal(0)
        for _ in self._patience.tries():
            try:
                answer = request()
            except _FAILURES as error:
                refusal = refusal_of(error)
                if not refusal.passing:
                    self._patience.answered = True
                    break
            else:
                self._patience.answered = True
                return answer
        if refusal.absent and not refusal.code and subject != self.url:
            # A HEAD has no body that would tell a missing object from a missing bucket.
            self._ask(self.url, self._require_bucket)
        # obstore's text has the whole request in it; `from None` keeps it out of every log.
        raise told(refusal, subject, self.url) from None


def open_bucket(
    url: str, patience: Patience | None = None, request_time: timedelta = _REQUEST_TIME
) -> ObjectBackend:
    """The backend of s3://BUCKET[/PREFIX], set up from the AWS variables; asks nothing of the store yet.

    `request_time` is what one request may take with all its bytes.

    Raises UsageError for a malformed URL, EnvironmentFault when a variable is missing or would send data in clear.
    """
    bucket, _, prefix = url.removeprefix("s3://").rstrip("/").partition("/")
    segments = prefix.split("/") if prefix else []
    if not _BUCKET.fullmatch(bucket) or not all(map(_PREFIX_SEGMENT.fullmatch, segments)):
        # The URL isn't repeated: what makes it malformed may be a password.
        remedy = "write s3://BUCKET/PREFIX; credentials belong into the AWS_ variables"
        raise UsageError("the s3:// URL is malformed", remedy=remedy)
    missing = [name for name in _CREDENTIALS if not os.environ.get(name)]
    if missing:
        raise EnvironmentFault("its credentials are missing", url, f"set {' and '.join(missing)}")
    allow_http = _is_clear_loopback(url)
    try:
        store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={"allow_http": allow_http, "connect_timeout": _CONNECT_TIME, "timeout": request_time},
            # Retries are ours: only we know then whether a taken name may be our own.
            retry_config={"max_retries": 0},
        )
    except BaseError:
        raise EnvironmentFault("an AWS variable can't be understood", url, "check them") from None
    return ObjectBackend(store, f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}", patience)


def _is_clear_loopback(url: str) -> bool:
    variable = next((name for name in _ENDPOINTS if os.environ.get(name)), None)
    if variable is None:
        return False
    parts = urlsplit(os.environ[variable])
    if parts.scheme == "https" and parts.hostname:
        return False
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return True
    remedy = "plain http is for addresses of this machine only"
    raise EnvironmentFault(f"{variable} is no https address", url, remedy)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
