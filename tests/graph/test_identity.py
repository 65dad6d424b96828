"""Tests of signing in."""

import asyncio
import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tuiback.errors import MicrosoftRefuses, Unreachable, UsageError
from tuiback.graph import AppIdentity, GivenToken
from tuiback.graph.identity import TokenSource

from .clocks import InstantClock
from .scripted import TENANT, Reply, ScriptedServer, as_json

_TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
_DISCOVERY_PATH = f"/{TENANT}/v2.0/.well-known/openid-configuration"


def _refused(code: int, text: str) -> Reply:
    description = f"AADSTS{code}: {text} Trace ID: t\r\nCorrelation ID: c"
    return as_json({"error": "invalid_client", "error_description": description, "error_codes": [code]}, 401)


@pytest.fixture
def tokens(app: AppIdentity, clock: InstantClock) -> TokenSource:
    """The token source of the scripted app."""
    return TokenSource(app, clock=clock)


async def test_many_requests_share_one_sign_in(server: ScriptedServer, tokens: TokenSource) -> None:
    """Twenty that need a token at once cause one request to Entra."""
    assert set(await asyncio.gather(*(tokens.token() for _ in range(20)))) == {"token-1"}
    assert server.tokens_issued == 1


async def test_the_scope_is_graphs_own(server: ScriptedServer, app: AppIdentity, clock: InstantClock) -> None:
    """Whether or not Graph's address carries its version, the scope is its origin."""
    await TokenSource(replace(app, graph_url=f"{server.url}/v1.0/"), clock=clock).token()
    form = parse_qs(server.asked("POST", _TOKEN_PATH)[0].body.decode())
    assert form["scope"] == [f"{server.url}/.default"]
    assert form["client_secret"] == ["s3cret-value"]


async def test_the_authority_may_name_the_tenant_already(
    server: ScriptedServer, app: AppIdentity, clock: InstantClock
) -> None:
    """A tenant in the authority's path is not added twice."""
    assert await TokenSource(replace(app, authority=f"{server.url}/{TENANT}/"), clock=clock).token() == "token-1"


async def test_a_token_is_renewed_before_it_ends(
    server: ScriptedServer, tokens: TokenSource, clock: InstantClock
) -> None:
    """An hour's token serves for 55 minutes."""
    await tokens.token()
    clock.seconds += 54 * 60
    assert await tokens.token() == "token-1"
    clock.seconds += 60
    assert await tokens.token() == "token-2"


async def test_a_rejected_token_is_not_handed_out_again(server: ScriptedServer, tokens: TokenSource) -> None:
    """All whose token was rejected share one new one; msal's cache does not bring the old one back."""
    old = await tokens.token()
    assert await asyncio.gather(*(tokens.token(old) for _ in range(5))) == ["token-2"] * 5
    assert server.tokens_issued == 2


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (7000215, "enter the client secret's value, not its id"),
        (7000222, "the client secret has expired"),
        (700016, "check the client id"),
        (999, "check the app's registration in Entra"),
    ],
)
async def test_a_refusal_gives_entras_reason_and_a_remedy(
    server: ScriptedServer, tokens: TokenSource, code: int, remedy: str
) -> None:
    """The first line of Entra's text comes through, the secret does not."""
    server.on("POST", _TOKEN_PATH, _refused(code, "Because."))
    with pytest.raises(MicrosoftRefuses, match=remedy) as caught:
        await tokens.token()
    assert f"AADSTS{code}: Because." in str(caught.value)
    assert "Correlation" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_an_unknown_tenant_is_a_refusal(server: ScriptedServer, tokens: TokenSource) -> None:
    """Entra answers 400 to the discovery of a tenant it does not have."""
    server.on("GET", _DISCOVERY_PATH, as_json({"error": "invalid_tenant"}, 400))
    with pytest.raises(MicrosoftRefuses, match="check the tenant id"):
        await tokens.token()


@pytest.mark.parametrize("path", [_TOKEN_PATH, _DISCOVERY_PATH])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, b"busy"),
        as_json({"error": "x"}, 429, Retry_After="9"),
        Reply(hang_up=True),
    ],
)
async def test_entra_in_trouble_is_unreachable(
    server: ScriptedServer, tokens: TokenSource, path: str, reply: Reply
) -> None:
    """Nothing is wrong with the credential when Entra does not answer, and the next try works."""
    verb = "POST" if path == _TOKEN_PATH else "GET"
    good = server._script[(verb, path)][0]
    # After a broken connection the transport asks once more by itself where that can do nothing twice.
    tries = 2 if reply.hang_up and verb == "GET" else 1
    server.on(verb, path, *[reply] * tries, good)
    with pytest.raises(Unreachable, match="sign-in gets no answer"):
        await tokens.token()
    assert await tokens.token() == "token-1"


async def test_the_endpoints_are_asked_for_once_in_a_while(
    server: ScriptedServer, tokens: TokenSource, clock: InstantClock
) -> None:
    """Sign-ins that follow each other know where the tenant signs in; after ten minutes it is asked again."""
    token = await tokens.token()
    token = await tokens.token(token)
    assert len(server.asked("GET", _DISCOVERY_PATH)) == 1
    clock.seconds += 600
    await tokens.token(token)
    assert len(server.asked("GET", _DISCOVERY_PATH)) == 2


async def test_a_sign_in_that_fails_forgets_the_endpoints(server: ScriptedServer, tokens: TokenSource) -> None:
    """They may have moved."""
    token = await tokens.token()
    good = server._script[("POST", _TOKEN_PATH)][0]
    server.on("POST", _TOKEN_PATH, Reply(503, b"busy"), good)
    with pytest.raises(Unreachable):
        await tokens.token(token)
    await tokens.token(token)
    assert len(server.asked("GET", _DISCOVERY_PATH)) == 2


async def test_a_passing_trouble_of_entra_is_no_refusal(server: ScriptedServer, tokens: TokenSource) -> None:
    """OAuth has a word for it."""
    server.on("POST", _TOKEN_PATH, as_json({"error": "temporarily_unavailable"}, 400))
    with pytest.raises(Unreachable, match="temporarily unavailable"):
        await tokens.token()


async def test_a_certificate_signs_an_assertion(
    server: ScriptedServer, app: AppIdentity, clock: InstantClock, key: rsa.RSAPrivateKey, certificate_pem: str
) -> None:
    """Entra gets a JWT that the certificate's key signed, and no secret."""
    app = replace(app, credential_kind="certificate", credential=certificate_pem)
    assert await TokenSource(app, clock=clock).token() == "token-1"

    form = parse_qs(server.asked("POST", _TOKEN_PATH)[0].body.decode())
    assert "client_secret" not in form
    head, claims, signature = form["client_assertion"][0].split(".")
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    key.public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), pss, SHA256())
    assert json.loads(_decoded(head))["alg"] == "PS256"
    assert json.loads(_decoded(claims))["sub"] == "client-1"


@pytest.mark.parametrize("cut", ["PRIVATE KEY", "CERTIFICATE"])
def test_half_a_certificate_is_refused_at_once(
    app: AppIdentity, clock: InstantClock, certificate_pem: str, cut: str
) -> None:
    """A PEM text without key or without certificate never gets as far as Entra."""
    broken = certificate_pem.replace(f"BEGIN {cut}", "BEGIN SOMETHING")
    with pytest.raises(UsageError, match="give a PEM file"):
        TokenSource(replace(app, credential_kind="certificate", credential=broken), clock=clock)


def test_a_key_that_is_none_is_refused_at_once(app: AppIdentity, clock: InstantClock, certificate_pem: str) -> None:
    """A damaged key is named as such."""
    lines = certificate_pem.splitlines()
    lines[1] = "AAAA" + lines[1][4:]
    with pytest.raises(UsageError, match="private key of the credential can't be read"):
        TokenSource(replace(app, credential_kind="certificate", credential="\n".join(lines)), clock=clock)


async def test_the_skew_of_the_clocks_is_known(
    server: ScriptedServer, tokens: TokenSource, clock: InstantClock
) -> None:
    """Each answer of the sign-in states Microsoft's time; this machine's is ten minutes behind."""
    ahead = format_datetime(clock.now() + timedelta(minutes=10), usegmt=True)
    server.on("POST", _TOKEN_PATH, as_json({"access_token": "t", "expires_in": 3600}, Date=ahead))
    assert tokens.skew_seconds == 0
    await tokens.token()
    assert tokens.skew_seconds == pytest.approx(600, abs=1)


async def test_another_credential_is_taken_up(
    server: ScriptedServer, app: AppIdentity, tokens: TokenSource, clock: InstantClock
) -> None:
    """The token in use serves on; the next sign-in is made with the new secret."""
    old = await tokens.token()
    tokens.change_credential(replace(app, credential="n3w"))
    assert await tokens.token() == old
    await tokens.token(old)
    form = parse_qs(server.asked("POST", _TOKEN_PATH)[-1].body.decode())
    assert form["client_secret"] == ["n3w"]


async def test_a_given_token_can_not_be_renewed() -> None:
    """Once the service rejects it, somebody must sign in again."""
    given = GivenToken("t-1")
    assert await given.token() == "t-1"
    with pytest.raises(MicrosoftRefuses, match="sign in again") as caught:
        await given.token("t-1")
    assert "t-1" not in str(caught.value)


def test_the_credential_shows_nowhere(app: AppIdentity) -> None:
    """The representation hides the secret."""
    assert "s3cret" not in repr(app)


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
