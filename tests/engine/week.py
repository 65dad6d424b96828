"""A week in a few seconds: a clock that only a test moves on, and the simulated company it passes for."""

import asyncio
import hashlib
import json
import time
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant import Server
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.manifest import manifest

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class WeekClock:
    """Runs with the machine's clock while there is work; skip() lets idle hours pass at once.

    Sleepers wake when their time has come either way, so work over real sockets is never hurried.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._begun = time.monotonic()
        self._skipped = 0.0
        self._put_forward = timedelta()
        self._sleepers: set[asyncio.Event] = set()

    def now(self) -> datetime:
        """The wall clock."""
        return self._start + timedelta(seconds=self.monotonic()) + self._put_forward

    def monotonic(self) -> float:
        """Seconds since the start of the week."""
        return time.monotonic() - self._begun + self._skipped

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has passed or was skipped."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            woken = asyncio.Event()
            self._sleepers.add(woken)
            try:
                await asyncio.wait_for(woken.wait(), left)
            except TimeoutError:
                pass
            finally:
                self._sleepers.discard(woken)

    def skip(self, seconds: float) -> None:
        """Let idle time pass."""
        self._skipped += seconds
        for woken in self._sleepers:
            woken.set()

    def put(self, by: timedelta) -> None:
        """Somebody sets the wall clock; nobody is woken by that."""
        self._put_forward += by


class Company:
    """The simulated tenant: lived in through its control, looked at from within, so that nothing is asked of Graph."""

    def __init__(self, server: Server) -> None:
        self.endpoints = server.endpoints
        self._cloud = server._hosts.control._cloud
        self._contents: dict[str, tuple[Any, Mapping[str, str]]] = {}

    def control(self, verb: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """POST to the tenant's control."""
        request = urllib.request.Request(
            f"{self.endpoints.control_url}/{verb}", json.dumps(order).encode(), {"Content-Type": "application/json"}
        )
        with _opener.open(request) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def pass_seconds(self, seconds: float) -> None:
        """The tenant's time goes on."""
        self._cloud.clock.ahead_seconds += seconds

    @property
    def people(self) -> list[Person]:
        """Who is here, the oldest first."""
        return [account.person for account in self._cloud.tenant.directory.people()]

    def accounts(self, kind: str) -> dict[str, Person]:
        """Everybody's mailbox or drive by account id."""
        return {
            f"mailbox:{p.object_id}" if kind == "mailbox" else f"drive:{p.drive_id}": p for p in self.people
        }

    def state(self, account_id: str, person: Person) -> Any:
        """Equal as long as nothing that is backed up of the account has changed."""
        if account_id.startswith("drive:"):
            drive = self._cloud.tenant.drive(person)
            return frozenset((n.serial, n.parent, n.name, n.version, n.version_number) for n in drive.nodes.values())
        mailbox = self._cloud.tenant.mailbox(person)
        folders = frozenset((f.serial, f.parent, f.name, f.version) for f in mailbox.folders.values())
        messages = [mailbox.find(serial) for folder in mailbox.folders for serial in mailbox.serials(folder)]
        return folders, frozenset((m.serial, m.folder, m.version, m.moves) for m in messages if m is not None)

    def content(self, account_id: str, person: Person, state: Any) -> Mapping[str, str]:
        """Item id → sha256 of everything in the account."""
        known = self._contents.get(account_id)
        if known is None or known[0] != state:
            items = manifest(self._cloud, person, frozenset({account_id.partition(":")[0]}))
            known = self._contents[account_id] = state, {item["id"]: item["sha256"] for item in items}
        return known[1]


def sha256(data: bytes) -> str:
    """As the company tells it."""
    return hashlib.sha256(data).hexdigest()
