"""Signing a person in by a code: patience, refusals, and the permissions that are asked for."""

from urllib.parse import parse_qs

import pytest

from tuiback.errors import MicrosoftRefuses, Unreachable
from tuiback.graph.device_login import COMMAND_LINE_APP_ID, DeviceCode, DeviceLogin

from .clocks import InstantClock
from .scripted import TENANT, Reply, ScriptedServer, as_json

_DEVICE_PATH = f"/{TENANT}/oauth2/v2.0/devicecode"
_TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
_DISCOVERY_PATH = f"/{TENANT}/v2.0/.well-known/openid-configuration"
_FLOW = {
    "user_code": "ABCD", "device_code": "d-1", "verification_uri": "https://login.example/device", "expires_in": 900,
    "interval": 5, "message": "go there",
}  # fmt: skip


def _error(word: str, code: int) -> Reply:
    return as_json({"error": word, "error_description": f"AADSTS{code}: {word}.", "error_codes": [code]}, 400)


def _login(server: ScriptedServer, clock: InstantClock, graph_url: str = "") -> DeviceLogin:
    return DeviceLogin(server.url, TENANT, graph_url or server.url, ["Application.ReadWrite.All"], clock=clock)


async def test_the_service_sets_the_pace(server: ScriptedServer, clock: InstantClock) -> None:
    """It is asked every interval, and less often once it says so; the code is shown once."""
    server.on("POST", _DEVICE_PATH, as_json(_FLOW))
    pending, slower = _error("authorization_pending", 70016), _error("slow_down", 70016)
    server.on("POST", _TOKEN_PATH, pending, slower, pending, as_json({"access_token": "t-1", "expires_in": 3600}))
    shown: list[DeviceCode] = []
    assert await _login(server, clock).token(shown.append) == "t-1"
    assert shown == [DeviceCode("ABCD", "https://login.example/device", 900.0)]
    assert clock.slept == [5, 5, 10, 10]
    form = parse_qs(server.asked("POST", _TOKEN_PATH)[-1].body.decode())
    assert (form["device_code"], form["client_id"]) == (["d-1"], [COMMAND_LINE_APP_ID])


@pytest.mark.parametrize(
    ("graph_url", "scope"),
    [("", "Application.ReadWrite.All"), ("https://graph.microsoft.us", "https://graph.microsoft.us/Application.ReadWrite.All")],
)
async def test_the_scope_is_that_of_the_clouds_graph(
    server: ScriptedServer, clock: InstantClock, graph_url: str, scope: str
) -> None:
    """National clouds have a Graph of their own; a loopback address is nothing that Entra knows."""
    server.on("POST", _DEVICE_PATH, as_json(_FLOW))
    server.on("POST", _TOKEN_PATH, as_json({"access_token": "t-1", "expires_in": 3600}))
    await _login(server, clock, graph_url).token(lambda _: None)
    form = parse_qs(server.asked("POST", _DEVICE_PATH)[0].body.decode())
    assert scope in form["scope"][0].split()


@pytest.mark.parametrize(
    ("word", "code", "remedy"),
    [("authorization_declined", 70017, "start again"), ("expired_token", 70019, "start again")],
)
async def test_a_refusal_ends_it(
    server: ScriptedServer, clock: InstantClock, word: str, code: int, remedy: str
) -> None:
    """Declined, or out of time: Entra's words and what to do."""
    server.on("POST", _DEVICE_PATH, as_json(_FLOW))
    server.on("POST", _TOKEN_PATH, _error(word, code))
    with pytest.raises(MicrosoftRefuses, match=f"AADSTS{code}.*{remedy}"):
        await _login(server, clock).token(lambda _: None)


async def test_no_code_is_given(server: ScriptedServer, clock: InstantClock) -> None:
    """A tenant that blocks this way of signing in says so before anybody is asked for anything."""
    server.on("POST", _DEVICE_PATH, _error("invalid_client", 700016))
    with pytest.raises(MicrosoftRefuses, match="AADSTS700016"):
        await _login(server, clock).token(lambda _: pytest.fail("a code was shown"))


async def test_nobody_answers(server: ScriptedServer, clock: InstantClock) -> None:
    """That is the network's fault; an unknown tenant is not."""
    server.on("POST", _DEVICE_PATH, Reply(hang_up=True))
    with pytest.raises(Unreachable, match="sign-in gets no answer"):
        await _login(server, clock).token(lambda _: None)
    server.on("GET", _DISCOVERY_PATH, as_json({"error": "invalid_tenant"}, 400))
    with pytest.raises(MicrosoftRefuses, match="check the tenant id"):
        await _login(server, clock).token(lambda _: None)
