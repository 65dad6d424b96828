"""Tests of the audit's chain: whatever is changed, left out or put in between is told."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tuiback.model.audited import AuditEntry, Deed, digest_of, entry_after, find_breaks

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def chain(length: int, log: str = "home") -> list[AuditEntry]:
    """So many entries, one after the other."""
    entries: list[AuditEntry] = []
    for number in range(length):
        deed = Deed(who="anna", uid=1000, origin="pts/1", action="cat", subject=f"mail {number}", reason="asked for")
        entries.append(entry_after(entries[-1] if entries else None, log, NOW, deed))
    return entries


def test_a_chain_is_whole_in_any_order() -> None:
    """Also where two homes wrote, one of them going on behind the other's entries."""
    first, other = chain(5), chain(3, "other")
    going_on = entry_after(first[-1], "renamed", NOW, first[0])
    assert going_on.number == 6
    assert find_breaks([*reversed(first), *other, going_on]) == []
    assert find_breaks([]) == []


@pytest.mark.parametrize("field", ["who", "origin", "action", "subject", "reason", "detail", "log"])
def test_a_changed_entry_is_told(field: str) -> None:
    """Whatever was changed in it."""
    entries = chain(4)
    entries[1] = replace(entries[1], **{field: "other"})
    assert any("not what was written" in line for line in find_breaks(entries))


def test_a_changed_entry_with_a_new_digest_is_told() -> None:
    """The next entry does not follow it."""
    entries = chain(4)
    changed = replace(entries[1], reason="none")
    entries[1] = replace(changed, digest=digest_of(changed))
    assert find_breaks(entries) == ["entry 3 of home follows an entry that is missing or was changed"]


@pytest.mark.parametrize("missing", [0, 2])
def test_a_missing_entry_is_told(missing: int) -> None:
    """At the beginning and in the middle; what is cut off at the end only another copy can tell."""
    entries = chain(4)
    del entries[missing]
    assert find_breaks(entries) == [f"entry {missing + 2} of home follows an entry that is missing or was changed"]
    assert find_breaks(chain(4)[:-1]) == []


def test_a_twofold_entry_is_told() -> None:
    """Two homes wrote as one."""
    entries = chain(3)
    fork = entry_after(entries[1], "home", NOW, replace(entries[0], subject="another"))
    assert find_breaks([*entries, fork]) == ["entry 3 of home is there twice, and not the same"]


def test_the_first_entry_says_that_it_is() -> None:
    """An entry that follows nothing can't have a later number."""
    entry = replace(chain(1)[0], number=2)
    entry = replace(entry, digest=digest_of(entry))
    assert find_breaks([entry]) == ["entry 2 of home follows no entry"]
