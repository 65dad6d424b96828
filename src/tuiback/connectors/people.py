"""Lists the users of a tenant, whatever service their accounts belong to."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from tuiback.errors import GraphError
from tuiback.graph import GraphClient

# https://learn.microsoft.com/graph/api/user-list: pages hold up to 999 users.
_QUERY = {
    "$select": "id,userPrincipalName,displayName,mail,userType,accountEnabled,onPremisesSyncEnabled,proxyAddresses",
    "$top": "999",
}


class Person(msgspec.Struct, frozen=True):
    """A directory user: a person, or the object behind a shared, room or equipment mailbox.

    `aliases` are all other addresses, in the directory's order. Shared mailboxes are normally not `enabled`.
    """

    user_id: str
    name: str
    address: str
    aliases: tuple[str, ...]
    enabled: bool


async def people(graph: GraphClient) -> AsyncIterator[list[Person]]:
    """The tenant's users without its guests, page by page in the directory's order.

    At the end the client knows how large the tenant is: who may sign in has a licence, as a rule. Raises GraphError
    when nobody at all is listed: an empty answer must not be taken for a tenant that everybody has left.
    """
    enabled = listed = 0
    async for page in graph.lane("directory").pages("/users", params=_QUERY):
        found = [person_of(user) for user in page.items if not _is_guest(user)]
        listed += len(page.items)
        enabled += sum(person.enabled for person in found)
        yield found
    if not listed:
        # A tenant has at least the administrator who registered the app.
        raise GraphError("the directory lists no user at all", "users", "check the app's User.Read.All, and run again")
    graph.tenant_has(enabled)


def person_of(user: dict[str, Any]) -> Person:
    """What a user object of Graph says about its accounts."""
    sign_in = user.get("userPrincipalName") or ""
    address = user.get("mail") or sign_in
    # A proxy address is "smtp:<address>", in capitals when it is the primary one; other prefixes are not mail.
    proxies = [text[5:] for text in user.get("proxyAddresses") or () if text[:5].casefold() == "smtp:"]
    others = {text.casefold(): text for text in (*proxies, sign_in) if text}
    others.pop(address.casefold(), None)
    return Person(
        user_id=user["id"],
        name=user.get("displayName") or address,
        address=address,
        aliases=tuple(others.values()),
        enabled=user.get("accountEnabled") is not False,
    )


def _is_guest(user: dict[str, Any]) -> bool:
    # Synchronised users may be typed as guests and still have a mailbox; userType may be null for members.
    return user.get("userType") == "Guest" and not user.get("onPremisesSyncEnabled")
