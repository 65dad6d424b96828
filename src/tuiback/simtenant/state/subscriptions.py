"""Holds who wants to be told of what changes, and how far each has been told."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """What is followed: all `kind` (message, drive, user, group) of an owner; messages perhaps in one folder only."""

    kind: str
    owner: int = 0
    folder: int | None = None


@dataclass(slots=True, eq=False)
class Subscription:
    """One application's wish; `seen` is the number of the last change that it was told of.

    `resource` is written as the application wrote it; ids of messages are `immutable` if it asked for that.
    """

    mark: str
    app_id: str
    change_types: frozenset[str]
    url: str
    resource: str
    expires: datetime
    watched: Watched
    seen: int
    client_state: str | None = None
    lifecycle_url: str | None = None
    immutable: bool = False


class Subscriptions:
    """All of the tenant; those that have expired are gone."""

    def __init__(self) -> None:
        self._held: dict[str, Subscription] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def present(self, now: datetime) -> list[Subscription]:
        """Those that are in force."""
        self._held = {mark: each for mark, each in self._held.items() if each.expires > now}
        return list(self._held.values())

    def add(self, made: Subscription) -> None:
        """One more."""
        self._held[made.mark] = made

    def remove(self, gone: Subscription) -> None:
        """End one before its time."""
        self._held.pop(gone.mark, None)
