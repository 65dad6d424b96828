"""Asks a Microsoft server what time it is, so that this machine's clock can be judged."""

import asyncio
from datetime import datetime
from email.utils import parsedate_to_datetime

from tuiback.graph.client import USER_AGENT
from tuiback.graph.transport import BREAKS, checked_url, open_client, web_origin

# Whoever asks for the time sits and waits.
_PATIENCE_SECONDS = 10.0


async def find_server_time(url: str) -> datetime | None:
    """The Date header (https://www.rfc-editor.org/rfc/rfc9110#name-date) of any answer; None where none comes.

    It has whole seconds. Raises UsageError for an address that must not be asked.
    """
    async with open_client(USER_AGENT) as client:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reply = await client.head(web_origin(checked_url(url, "Graph's address")))
        except BREAKS:
            return None
    try:
        return parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return None
