"""Makes and changes the app's registration in Entra, and waits while its directory tells all its servers.

https://learn.microsoft.com/graph/api/resources/application
https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tuiback.errors import GraphError, ItemGone, MicrosoftRefuses
from tuiback.graph.certificates import KeyPair
from tuiback.graph.client import GraphClient
from tuiback.graph.identity import AppIdentity
from tuiback.model import Clock

# The application id that Microsoft Graph has in every tenant.
_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# What was made can't be seen by every server for up to a minute; nothing publishes a bound.
_REPLICATION_SECONDS = 180.0
# Who really may not do it hears so after a shorter while.
_REFUSAL_SECONDS = 30.0
_SIGN_IN_SECONDS = 120.0
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 15.0
_GRANTED_ALREADY = "already exists"
_AnswerT = TypeVar("_AnswerT")


@dataclass(frozen=True, slots=True)
class Registration:
    """An application: `object_id` names it in the directory, `client_id` is what it signs in with."""

    object_id: str
    client_id: str
    keys: tuple[Mapping[str, Any], ...] = ()
    secrets: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class GraphRoles:
    """Microsoft Graph as something whose permissions are granted: their ids by name."""

    principal_id: str
    ids: Mapping[str, str]


class AppRegistrar:
    """Requests about app registrations, with whatever token `graph` has.

    `tell` hears what is waited for. All methods raise GraphError and MicrosoftRefuses.
    """

    def __init__(self, graph: GraphClient, *, clock: Clock, tell: Callable[[str], None] = lambda _: None) -> None:
        self._lane = graph.lane("directory")
        self._clock = clock
        self._tell = tell

    async def graph_roles(self) -> GraphRoles:
        """The permissions that Graph offers in this cloud."""
        path = f"/servicePrincipals(appId='{_GRAPH_APP_ID}')"
        found = await self._lane.get(path, params={"$select": "id,appRoles"})
        return GraphRoles(found["id"], {role["value"]: role["id"] for role in found["appRoles"]})

    async def find(self, client_id: str) -> Registration:
        """The registration behind a client id. Raises ItemGone."""
        fields = {"$select": "id,appId,keyCredentials,passwordCredentials"}
        return _registration(await self._lane.get(f"/applications(appId='{client_id}')", params=fields))

    async def create(self, name: str, role_ids: Iterable[str], redirect_uri: str, pair: KeyPair) -> Registration:
        """A new application of this tenant only, that asks for these permissions and may sign in with the key."""
        wanted = [{"id": role_id, "type": "Role"} for role_id in role_ids]
        body = {
            "displayName": name,
            "signInAudience": "AzureADMyOrg",
            "requiredResourceAccess": [{"resourceAppId": _GRAPH_APP_ID, "resourceAccess": wanted}],
            "web": {"redirectUris": [redirect_uri]},
            "keyCredentials": [pair.key_credential],
        }
        return _registration(await self._lane.post("/applications", body))

    async def delete(self, object_id: str) -> None:
        """Take an application back that may not be seen everywhere yet."""
        # A 404 means that this server has not heard of it, not that it is gone.
        path = f"/applications/{object_id}"
        await self._settled(
            "the application, to remove it again", lambda: self._lane.get(path, params={"$select": "id"})
        )
        await self._lane.delete(path)

    async def create_principal(self, client_id: str) -> str:
        """Let the application act in this tenant; the id of its service principal."""
        made = await self._settled(
            "the new application", lambda: self._lane.post("/servicePrincipals", {"appId": client_id})
        )
        return str(made["id"])

    async def grant(self, principal_id: str, graph: GraphRoles, role_id: str) -> None:
        """Grant a permission to a service principal: this is administrator consent."""
        body = {"principalId": principal_id, "resourceId": graph.principal_id, "appRoleId": role_id}
        try:
            await self._settled(
                "the new service principal",
                lambda: self._lane.post(f"/servicePrincipals/{principal_id}/appRoleAssignments", body),
            )
        except GraphError as error:
            # A try that nobody answered had arrived all the same.
            if error.status != 400 or _GRANTED_ALREADY not in error.what:
                raise

    async def add_key(self, object_id: str, pair: KeyPair, proof: str) -> str:
        """A further certificate, on the word of a registered one; its key id."""
        body = {"keyCredential": pair.key_credential, "passwordCredential": None, "proof": proof}
        return str((await self._lane.post(f"/applications/{object_id}/addKey", body))["keyId"])

    async def replace_keys(self, object_id: str, pair: KeyPair) -> None:
        """Make this certificate the only one: an application without a valid one can't add any."""
        await self._lane.patch(f"/applications/{object_id}", {"keyCredentials": [pair.key_credential]})

    async def remove_key(self, object_id: str, key_id: str, proof: str) -> None:
        """Let a certificate count no more."""
        await self._lane.post(f"/applications/{object_id}/removeKey", {"keyId": key_id, "proof": proof})

    async def add_secret(self, object_id: str, name: str, ends: datetime) -> tuple[str, str]:
        """A further client secret: its key id and its text, which is told once."""
        wanted = {"displayName": name, "endDateTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
        made = await self._lane.post(f"/applications/{object_id}/addPassword", {"passwordCredential": wanted})
        return str(made["keyId"]), str(made["secretText"])

    async def remove_secret(self, object_id: str, key_id: str) -> None:
        """Let a client secret count no more."""
        await self._lane.post(f"/applications/{object_id}/removePassword", {"keyId": key_id})

    async def _settled(self, what: str, ask: Callable[[], Awaitable[_AnswerT]]) -> _AnswerT:
        """Ask until the directory knows what was made a moment ago."""
        return await until_settled(self._clock, self._tell, f"Entra to know {what}", ask)


async def signs_in(
    app: AppIdentity, roles: frozenset[str], *, clock: Clock, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Return when the app's new credential is known and its token carries the roles.

    Raises MicrosoftRefuses when that takes longer than replication does.
    """

    async def ask() -> None:
        # A new client each time: a token from before the grants would lack them for an hour.
        client = GraphClient(app, clock=clock, lenient=True)
        try:
            granted = (await client.claims()).roles
        finally:
            await client.close()
        if missing := roles - granted:
            what = f"the token lacks {', '.join(sorted(missing))}"
            raise MicrosoftRefuses(what, f"app {app.client_id}", "grant it in Entra")

    await until_settled(clock, tell, "the sign-in to be known", ask, refusal_seconds=_SIGN_IN_SECONDS)


async def until_settled(
    clock: Clock,
    tell: Callable[[str], None],
    what: str,
    ask: Callable[[], Awaitable[_AnswerT]],
    *,
    refusal_seconds: float = _REFUSAL_SECONDS,
) -> _AnswerT:
    """Ask again while the answer is that what was just made does not exist, or, for a shorter time, is not allowed."""
    begun = clock.monotonic()
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            return await ask()
        except (ItemGone, MicrosoftRefuses) as error:
            patience = _REPLICATION_SECONDS if isinstance(error, ItemGone) else refusal_seconds
            if clock.monotonic() - begun >= patience:
                raise
        tell(f"waiting for {what} ({clock.monotonic() - begun:.0f} s)")
        await clock.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


def _registration(found: Mapping[str, Any]) -> Registration:
    keys, secrets = (tuple(found.get(name) or ()) for name in ("keyCredentials", "passwordCredentials"))
    return Registration(found["id"], found["appId"], keys, secrets)
