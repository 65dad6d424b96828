"""One app's way to Microsoft Graph: it signs in, keeps under the limits, and hands out a Lane for each account."""

import random
from collections.abc import Mapping
from copy import copy

from tuiback import __version__
from tuiback.graph.caller import Caller
from tuiback.graph.claims import Claims, claims_of
from tuiback.graph.identity import AppIdentity, Tokens, TokenSource
from tuiback.graph.lane import Lane
from tuiback.graph.limits import ServiceLimits, published
from tuiback.graph.throttle import Notice, Throttle, ThrottleFigures
from tuiback.graph.tokens_apart import TokensApart
from tuiback.graph.transport import checked_url, open_client, web_origin
from tuiback.model import Clock

# Undecorated traffic is throttled first:
# https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
USER_AGENT = f"NONISV|tuiback|tuiback/{__version__}"


class GraphClient:
    """One per app, shared by all its tasks, because limits count by app. Used on one loop, and closed there.

    `limits` are Microsoft's unless others are given; a `lenient` client keeps to them only once the service shows that
    it does. `tokens` stand in for the app's own sign-in. Raises UsageError for addresses without https (but on this
    machine) and for a credential that can't be read.
    """

    def __init__(
        self,
        app: AppIdentity,
        *,
        clock: Clock,
        notice: Notice | None = None,
        limits: Mapping[str, ServiceLimits] | None = None,
        lenient: bool = False,
        chance: random.Random | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self._root = web_origin(checked_url(app.graph_url, "Graph's address"))
        self._tokens = tokens or TokenSource(app, clock=clock)
        self._throttle = Throttle(limits, clock=clock, notice=notice, lenient=lenient)
        self.is_urgent = False
        self._client = open_client(USER_AGENT)
        self._apart = TokensApart(self._tokens, clock=clock)
        self._caller = Caller(
            self._client, self._apart, self._throttle, clock=clock, chance=chance or random.SystemRandom()
        )

    async def sign_in(self) -> None:
        """Prove the credential. Raises MicrosoftRefuses with Entra's reason, Unreachable when no answer comes."""
        await self._tokens.token()

    async def claims(self, *, fresh: bool = False) -> Claims:
        """What the app's token says; a `fresh` one knows of permissions granted a moment ago. Raises as sign_in()."""
        token = await self._tokens.token()
        return claims_of(await self._tokens.token(token) if fresh else token)

    def change_credential(self, app: AppIdentity) -> None:
        """Use another credential of the same app from the next sign-in on; requests under way are not disturbed."""
        if isinstance(self._tokens, TokenSource):
            self._tokens.change_credential(app)

    @property
    def skew_seconds(self) -> float:
        """How far Microsoft's clock is ahead of this machine's, as the newest sign-in saw it."""
        return self._tokens.skew_seconds

    @property
    def takes_batches(self) -> bool:
        """Whether requests may go together: until the service refuses it."""
        return self._caller.takes_batches

    def give_up_batches(self) -> None:
        """Send nothing together any more."""
        self._caller.takes_batches = False

    def lane(self, service: str, account: str = "") -> Lane:
        """Requests for one account of "outlook", "sharepoint" or "directory"; they queue with all others there."""
        return Lane(self._caller, self._root, service, account, urgent=self.is_urgent)

    def urgent(self) -> "GraphClient":
        """The same client for those whom somebody waits for: their requests go before all others."""
        ahead = copy(self)
        ahead.is_urgent = True
        return ahead

    def tenant_has(self, users: int) -> None:
        """Microsoft's limits grow with the tenant: so many users were counted in it."""
        self._throttle.resize(published(users))

    def throttle_status(self) -> tuple[ThrottleFigures, ...]:
        """How hard each service throttles at this moment."""
        return self._throttle.figures()

    async def close(self) -> None:
        """Close all connections, after a sign-in under way."""
        await self._apart.close()
        await self._client.aclose()
