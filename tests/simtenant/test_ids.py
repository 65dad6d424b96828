"""Ids lead back to their things, and only those that the tenant made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.simtenant.ids import Ids, Reference

IDS = Ids(b"a key")
KINDS = ["folder", "message", "immutable", "attachment"]
NUMBER = st.integers(min_value=0, max_value=2**32 - 1)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(kind=st.sampled_from(KINDS), owner=NUMBER, serial=NUMBER, place=NUMBER)
def test_exchange_ids_lead_back(kind: str, owner: int, serial: int, place: int) -> None:
    """What an id was made of is found again, and the id needs no escaping in a URL."""
    text = IDS.encode(kind, owner, serial, place)
    assert IDS.find(text) == Reference(kind, owner, serial, place)
    assert text.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("text", ["", "AAA", "é", "AAkAu1_tJ8i3kLITdtv_3uW6B2ij0JEz", "x" * 32])
def test_foreign_ids_are_not_found(text: str) -> None:
    """An id of another tenant, and any other text, leads nowhere."""
    assert IDS.find(text) is None
    assert IDS.find_node(text, 0) is None


def test_drive_item_ids_have_their_real_shape() -> None:
    """A driveItem id is 01 and 32 base32 characters, bound to its drive's owner."""
    text = IDS.node_id(b"drive", 3, 17)
    assert len(text) == 34
    assert text.startswith("01")
    assert IDS.find_node(text, 3) == 17
    assert IDS.find_node(text, 4) is None
