"""Rolls an app's credential: the new one is added beside the old, proven, and only then is the older one removed.

https://learn.microsoft.com/graph/api/application-addkey
https://learn.microsoft.com/graph/api/application-addpassword
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from msgspec import structs

from tuiback.errors import GraphError, MicrosoftRefuses
from tuiback.graph import AppIdentity, GraphClient
from tuiback.graph.app_registration import AppRegistrar, Registration, signs_in
from tuiback.graph.certificates import LIFE_DAYS, KeyPair, make_key_pair, read_key_pair
from tuiback.model import Clock, Tenant

# What Microsoft says of a credential that somebody has removed already.
_UNKNOWN_KEY = "keyid"


class Renewal:
    """The steps of a renewal, with the rights that `graph` signs in with: the app's own or an administrator's.

    All methods raise GraphError and MicrosoftRefuses.
    """

    def __init__(self, graph: GraphClient, tell: Callable[[str], None], clock: Clock) -> None:
        self._registrar = AppRegistrar(graph, clock=clock, tell=tell)
        self._tell = tell
        self._clock = clock

    async def renewed(self, tenant: Tenant, app: AppIdentity) -> tuple[Tenant, str]:
        """The tenant with a new credential, proven by signing in, and that credential in clear."""
        known = await self._registration(tenant, app)
        if app.credential_kind == "secret":
            return await self._new_secret(tenant, app, known)
        return await self._new_certificate(tenant, app, known)

    async def remove_retired(self, tenant: Tenant, app: AppIdentity) -> int:
        """Remove the credential before the one in use; how many went."""
        if not tenant.retired_key_id:
            return 0
        await self._remove(tenant.app_object_id, tenant.retired_key_id, app)
        return 1

    async def _registration(self, tenant: Tenant, app: AppIdentity) -> Registration:
        """The app in the directory; an app that tuiback registered itself needs no right to look there."""
        if tenant.app_object_id and tenant.key_id:
            return Registration(tenant.app_object_id, tenant.client_id)
        self._tell(f"looking for app {app.client_id} in Entra")
        return await self._registrar.find(app.client_id)

    async def _new_certificate(self, tenant: Tenant, app: AppIdentity, known: Registration) -> tuple[Tenant, str]:
        now = self._clock.now()
        old = read_key_pair(app.credential, app.client_id)
        new = await asyncio.to_thread(make_key_pair, f"tuiback-{tenant.name}", now)
        retired = ""
        if old.is_expired(now):
            await self._registrar.replace_keys(known.object_id, new)
            key_id = ""
        else:
            key_id = await self._registrar.add_key(known.object_id, new, old.proof(known.object_id, now))
            retired = tenant.key_id or _key_of(known, old)
        await self._prove(replace(app, credential=new.pem), known.object_id, key_id, app)
        return _with_credential(tenant, known, new.expires_on, key_id, retired), new.pem

    async def _new_secret(self, tenant: Tenant, app: AppIdentity, known: Registration) -> tuple[Tenant, str]:
        ends = self._clock.now() + timedelta(days=LIFE_DAYS)
        key_id, text = await self._registrar.add_secret(known.object_id, f"tuiback until {ends:%Y-%m-%d}", ends)
        await self._prove(replace(app, credential=text), known.object_id, key_id, app)
        retired = tenant.key_id or _secret_of(known, app.credential)
        return _with_credential(tenant, known, f"{ends:%Y-%m-%d}", key_id, retired), text

    async def _prove(self, app: AppIdentity, object_id: str, key_id: str, old: AppIdentity) -> None:
        try:
            await signs_in(app, frozenset(), clock=self._clock, tell=self._tell)
        except BaseException:
            # One that does not work must not lie about; the old one still does.
            if key_id:
                with contextlib.suppress(GraphError, MicrosoftRefuses):
                    await self._remove(object_id, key_id, old)
            raise

    async def _remove(self, object_id: str, key_id: str, app: AppIdentity) -> None:
        """Remove a credential of the app, by the word of the credential that `app` signs in with."""
        self._tell("removing a credential from Entra")
        try:
            if app.credential_kind == "secret":
                await self._registrar.remove_secret(object_id, key_id)
                return
            pair = read_key_pair(app.credential, app.client_id)
            await self._registrar.remove_key(object_id, key_id, pair.proof(object_id, self._clock.now()))
        except GraphError as error:
            if error.status != 400 or _UNKNOWN_KEY not in error.what.lower():
                raise


def _with_credential(tenant: Tenant, known: Registration, expires_on: str, key_id: str, retired: str) -> Tenant:
    return structs.replace(
        tenant,
        credential_expires_on=expires_on,
        app_object_id=known.object_id,
        key_id=key_id,
        retired_key_id=retired,
    )


def _key_of(known: Registration, pair: KeyPair) -> str:
    """The id of a certificate, found by its thumbprint; "" where Entra does not show it."""
    ids = [key["keyId"] for key in known.keys if pair.is_named(str(key.get("customKeyIdentifier") or ""))]
    return ids[0] if len(ids) == 1 else ""


def _secret_of(known: Registration, text: str) -> str:
    """The id of a secret, found by the first characters that Entra shows; "" where several have them."""
    ids = [secret["keyId"] for secret in known.secrets if str(secret.get("hint") or "\0") == text[:3]]
    return ids[0] if len(ids) == 1 else ""
