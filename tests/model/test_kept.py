"""Tests of reading what older versions wrote."""

import msgspec

from tuiback.model.kept import KeptDebt, decode_piece


def test_a_debt_of_before_is_not_acknowledged() -> None:
    """Rows grow at their end: what is missing there has its default."""
    row = ["m1", "in", "message", "Inbox/x", "2026-11-23T09:00:00+00:00", 2, "500", "r-1"]
    piece = decode_piece(msgspec.msgpack.encode([[], [], [], [], [], [], [], [row]]))
    assert piece.owed == [KeptDebt("m1", "in", "message", "Inbox/x", "2026-11-23T09:00:00+00:00", 2, "500", "r-1", "")]
