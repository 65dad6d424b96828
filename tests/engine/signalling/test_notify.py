"""Notices arrive at real receivers, and failures are told without a secret."""

import json
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.engine.receivers import Mailbox, Web, mail_server, web_server
from tuiback.catalog import AlertRow
from tuiback.engine.settings.channels import PingChannel, SmtpChannel, WebhookChannel
from tuiback.engine.signalling.notices import notice_of
from tuiback.engine.signalling.notify import Undelivered, deliver, ping

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ALERT = AlertRow("failed:mail", "critical", NOW, "mail", "eve\r\nBcc: all@x\x1b[2J is locked", "look")
SECRET = "hunter2-very-secret"


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A web server."""
    async with web_server() as server:
        yield server


def smtp(port: int, **given: str) -> SmtpChannel:
    """A channel to the sink."""
    security = given.pop("security", "none")
    return SmtpChannel(
        name="ops", host="127.0.0.1", port=port, security=security, sender="nas@acme.example",
        to=("ops@acme.example", "boss@acme.example"), **given,
    )  # fmt: skip


async def test_a_mail_is_safe_to_read_and_keeps_its_id() -> None:
    """Hostile names end no header; a second try of the same notice has the same Message-ID."""
    async with mail_server(Mailbox()) as sink:
        notice = notice_of(ALERT, "opened", NOW)
        await deliver(smtp(sink.port), notice)
        await deliver(smtp(sink.port), notice)
        await deliver(smtp(sink.port), notice_of(ALERT, "closed", NOW))
    first, again, closed = sink.mails
    assert first["To"] == "ops@acme.example, boss@acme.example"
    assert "CRITICAL: mail: eve" in first["Subject"]
    assert first["Bcc"] is None
    assert first["Message-ID"] == again["Message-ID"] != closed["Message-ID"]
    assert "\x1b" not in first.get_content()
    assert "What to do: look" in first.get_content()
    assert "CLOSED" in closed["Subject"]


async def test_signing_in_to_a_mail_server() -> None:
    """A wrong password is told without it."""
    with warnings.catch_warnings():
        # aiosmtpd would rather see TLS.
        warnings.simplefilter("ignore")
        async with mail_server(Mailbox(password=SECRET)) as sink:
            await deliver(smtp(sink.port, user="nas", password=SECRET), notice_of(ALERT, "opened", NOW))
            with pytest.raises(Undelivered, match="refuses the user or the password") as refused:
                await deliver(smtp(sink.port, user="nas", password="wrong-one"), notice_of(ALERT, "opened", NOW))
    assert len(sink.mails) == 1
    assert "wrong-one" not in str(refused.value)


async def test_mail_servers_that_take_nothing() -> None:
    """Unknown recipients, no TLS, nobody there: each has its reason."""
    notice = notice_of(ALERT, "opened", NOW)
    async with mail_server(Mailbox(unknown=("ops@acme.example", "boss@acme.example"))) as sink:
        with pytest.raises(Undelivered, match=r"refuses ops@acme\.example"):
            await deliver(smtp(sink.port), notice)
        with pytest.raises(Undelivered, match="no mail could be sent"):
            await deliver(smtp(sink.port, security="starttls"), notice)
    with pytest.raises(Undelivered, match="no mail could be sent"):
        await deliver(smtp(sink.port), notice)


async def test_a_webhook_gets_the_alert_as_json(web: Web) -> None:
    """With the header that it asks for."""
    await deliver(
        WebhookChannel(name="hook", url=f"{web.url}/in", authorization=f"Bearer {SECRET}"),
        notice_of(ALERT, "opened", NOW),
    )
    ((method, path, body, authorization),) = web.came
    assert (method, path, authorization) == ("POST", "/in", f"Bearer {SECRET}")
    document = json.loads(body)
    assert (document["schema"], document["event"]) == ("tuiback.notice/1", "opened")
    assert document["alert"]["id"] == "failed:mail"


async def test_a_ping_calls_its_address(web: Web) -> None:
    """The address itself when all is well, start and fail below it."""
    channel = PingChannel(name="hc", url=f"{web.url}/{SECRET}")
    for signal in ("start", "", "fail"):
        await ping(channel, signal)
    assert web.paths == [f"/{SECRET}/start", f"/{SECRET}", f"/{SECRET}/fail"]
    assert {method for method, *_ in web.came} == {"GET"}


async def test_failures_of_the_web_keep_the_address_secret(web: Web) -> None:
    """A refusal, nobody there, and an address that is none."""
    web.status = 404
    for url in (f"{web.url}/{SECRET}", f"http://127.0.0.1:1/{SECRET}", f"http://:x/{SECRET}"):
        with pytest.raises(Undelivered) as failed:
            await ping(PingChannel(name="hc", url=url))
        assert failed.value.subject == "hc"
        assert SECRET not in str(failed.value)
