"""Delivers a notice once, by mail, webhook or ping; says why when it can't, and never a secret."""

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

import httpx
import msgspec

from tuiback import __version__
from tuiback.engine.settings.channels import Channel, PingChannel, SmtpChannel, WebhookChannel
from tuiback.engine.signalling.notices import Notice
from tuiback.errors import TuibackError
from tuiback.graph.transport import tls_context

SEND_SECONDS = 20.0
_USER_AGENT = f"tuiback/{__version__}"


class Undelivered(TuibackError):
    """A channel did not take the message; `subject` is the channel."""

    code = "undelivered"


async def deliver(channel: Channel, notice: Notice) -> None:
    """Send the notice; of a ping only the URL is called. Raises Undelivered."""
    match channel:
        case SmtpChannel():
            await _mail(channel, notice)
        case WebhookChannel():
            await _post(channel, notice)
        case PingChannel():
            await ping(channel)


async def ping(channel: PingChannel, signal: str = "") -> None:
    """Call the URL, or "start" or "fail" below it. Raises Undelivered."""
    url = channel.url.rstrip("/")
    await _request(channel.name, "GET", f"{url}/{signal}" if signal else channel.url)


async def _post(channel: WebhookChannel, notice: Notice) -> None:
    headers = {"Content-Type": "application/json"}
    if channel.authorization:
        headers["Authorization"] = channel.authorization
    await _request(channel.name, "POST", channel.url, headers, msgspec.json.encode(notice))


async def _request(
    name: str, method: str, url: str, headers: dict[str, str] | None = None, content: bytes | None = None
) -> None:
    given = {"User-Agent": _USER_AGENT, **(headers or {})}
    try:
        async with httpx.AsyncClient(verify=tls_context(), timeout=SEND_SECONDS) as client:
            response = await client.request(method, url, headers=given, content=content)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # The words of the transport may hold the URL, which may be a secret.
        what = f"no connection ({type(error).__name__})"
        raise Undelivered(what, name, "check its address and the network") from None
    if not response.is_success:
        raise Undelivered(f"the receiver answers {response.status_code}", name, "check its address")


async def _mail(channel: SmtpChannel, notice: Notice) -> None:
    # Few runs send any.
    import smtplib

    try:
        await asyncio.to_thread(_send_mail, channel, message_of(channel, notice))
    except smtplib.SMTPAuthenticationError as error:
        what = f"the mail server refuses the user or the password ({error.smtp_code})"
        raise Undelivered(what, channel.name, "check both") from None
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"the mail server answers {error.smtp_code}", channel.name, "ask its operator") from None
    except smtplib.SMTPRecipientsRefused as error:
        refused = ", ".join(error.recipients)
        raise Undelivered(f"the mail server refuses {refused}", channel.name, "check the addresses") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise Undelivered(f"no mail could be sent ({error})", channel.name, "check host, port, security") from None


def message_of(channel: SmtpChannel, notice: Notice) -> EmailMessage:
    """The mail. Its id stays the same when it is sent again, so that a mailbox can tell."""
    message = EmailMessage()
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Subject"] = f"[tuiback {notice.host}] {notice.title}"[:200]
    message["Date"] = format_datetime(notice.time)
    message["Message-ID"] = f"<{sha256(notice.id.encode()).hexdigest()[:32]}@{notice.host or 'tuiback'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text + "\n")
    return message


def _send_mail(channel: SmtpChannel, message: EmailMessage) -> None:
    import smtplib

    context = ssl.create_default_context()
    if channel.security == "ssl":
        opened: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=SEND_SECONDS, context=context)
    else:
        opened = smtplib.SMTP(channel.host, channel.port, timeout=SEND_SECONDS)
    with opened as server:
        if channel.security == "starttls":
            server.starttls(context=context)
        if channel.user:
            server.login(channel.user, channel.password)
        server.send_message(message)
