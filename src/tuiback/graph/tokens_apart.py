"""Hands out the app's token, and to each account one of its own while tokens end before their time.

A token that is taken away fails all requests that are under way with it: the fewer share it the fewer those are. The
client credentials flow issues as many as are asked for:
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import asyncio
from zlib import crc32

from tuiback.errors import MicrosoftRefuses, Unreachable
from tuiback.graph.identity import Tokens, TokenSource
from tuiback.graph.ready_token import ReadyToken
from tuiback.model import Clock

# So many tokens at most, whatever the number of accounts: more are not in work at once.
_MOST_TOKENS = 64
# After so long without a rejected token all share one again.
_CALM_SECONDS = 600.0
# So many sign-ins that fail on end are Entra's trouble, which one of them shows as well as many.
_MOST_FAILURES = 3


class TokensApart:
    """The tokens of `source` for the requests of all accounts; one that can't be multiplied is shared by all."""

    def __init__(self, source: Tokens, *, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._shared = ReadyToken(source, clock=clock)
        self._own: dict[int, ReadyToken] = {}
        self._is_apart = False
        self._rejected_at = 0.0
        self._failures = 0

    @property
    def skew_seconds(self) -> float:
        """How far Microsoft's clock is ahead of this machine's."""
        return self._source.skew_seconds

    async def token(self, rejected: str, account: str) -> str:
        """A token for a request of the account, not the one that the service just `rejected` ("" if none).

        Raises MicrosoftRefuses when Entra says no, Unreachable when it says nothing.
        """
        if rejected:
            self._rejected_at = self._clock.monotonic()
        elif self._is_apart and self._clock.monotonic() - self._rejected_at > _CALM_SECONDS:
            self._come_together()
        if not self._is_apart:
            token = await self._shared.token(rejected)
            self._is_apart = self._shared.ends_early
            return token
        try:
            token = await self._own_of(account).token(rejected)
        except (MicrosoftRefuses, Unreachable):
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                self._come_together()
            raise
        self._failures = 0
        return token

    def _own_of(self, account: str) -> ReadyToken:
        if not isinstance(self._source, TokenSource):
            return self._shared
        place = crc32(account.encode()) % _MOST_TOKENS
        if place not in self._own:
            self._own[place] = ReadyToken(self._source.another(), clock=self._clock)
        return self._own[place]

    def _come_together(self) -> None:
        self._is_apart = False
        self._failures = 0
        self._shared.forget_ends()

    async def close(self) -> None:
        """Wait for the sign-ins under way."""
        await asyncio.gather(*(each.close() for each in (self._shared, *self._own.values())))
