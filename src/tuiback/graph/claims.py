"""Reads what an access token says of the app it was issued to.

The token is our own and comes from Microsoft by TLS: its signature is Graph's business, so nothing is verified here.
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

import base64

import msgspec

from tuiback.errors import GraphError


class Claims(msgspec.Struct, frozen=True):
    """The tenant's id, and the application permissions that an administrator has granted."""

    tenant_id: str
    roles: frozenset[str]


class _Payload(msgspec.Struct, frozen=True):
    tid: str = ""
    roles: list[str] = []


def claims_of(token: str) -> Claims:
    """What a token says. Raises GraphError for one that is no JWT."""
    body = token.split(".")[1:2]
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(f"{body[0]}===") if body else b"", type=_Payload)
    except (ValueError, msgspec.DecodeError):
        # The token itself is a secret: neither it nor the decoder's words about it may be told.
        raise GraphError("the access token can't be read", "", "check the cloud and the authority") from None
    return Claims(payload.tid, frozenset(payload.roles))
