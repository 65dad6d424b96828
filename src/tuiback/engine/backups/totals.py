"""Asks the service how much its containers hold, and tells of those of which the backup holds less."""

from collections.abc import Mapping, Sequence

from tuiback.connectors.base import Connector
from tuiback.engine.backups.tally import Tally
from tuiback.engine.workers import for_each
from tuiback.model import Account, Container

# Counts are small answers that one mailbox may be asked for side by side.
_ASKED_AT_ONCE = 28


async def find_short(
    connector: Connector, account: Account, containers: Sequence[Container], tally: Tally, owed: Mapping[str, int]
) -> dict[str, str]:
    """Which of these counted containers hold fewer items than the service states, and a sentence about each.

    `owed` items of a container are held as far as its total goes. Raises GraphError and its children.
    """
    short: dict[str, str] = {}

    async def look(container: Container) -> None:
        stated = await connector.expected_items(account, container)
        present = tally.present(container.container_id) + owed.get(container.container_id, 0)
        if stated is not None and present < stated:
            short[container.container_id] = f"{container.name}: {present} items listed, the service states {stated}"

    await for_each(containers, look, _ASKED_AT_ONCE)
    return short
