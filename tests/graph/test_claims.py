"""What a token says of its app."""

import jwt
import pytest

from tuiback.errors import GraphError
from tuiback.graph.claims import Claims, claims_of


def test_roles_and_tenant() -> None:
    """Permissions and tenant are read without the key."""
    token = jwt.encode({"tid": "t-1", "roles": ["Mail.Read"], "aud": "x"}, "k" * 32)
    assert claims_of(token) == Claims("t-1", frozenset({"Mail.Read"}))


def test_a_token_without_roles() -> None:
    """Before consent a token has none."""
    assert claims_of(jwt.encode({"tid": "t-1"}, "k" * 32)).roles == frozenset()


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.e30x.c", "a.W10.c", "a.eyJyb2xlcyI6M30.c"])
def test_what_is_no_token(token: str) -> None:
    """The error names no part of it."""
    with pytest.raises(GraphError, match="can't be read") as caught:
        claims_of(token)
    assert not token or token not in str(caught.value)
