"""Fixtures for tests of the engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig, anna, make_home


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """An open home whose tenant has Anna's mailbox."""
    rig = await Rig.open(make_home(tmp_path))
    rig.cloud.mailboxes["anna"] = anna()
    yield rig
    await rig.archive.close()
