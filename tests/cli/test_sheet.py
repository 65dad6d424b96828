"""Tests of the recovery sheet: what stands on it, and how it is typed in again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.cli.secret import read_key
from tuiback.cli.sheet import PrintedKey, find_key, key_lines, sheet_text, write_sheet
from tuiback.engine.home import RepositoryRef
from tuiback.errors import EnvironmentFault, UsageError
from tuiback.store import KeySlot

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
REF = RepositoryRef(name="main", url="/mnt/my nas", repository_id="ab" * 16, catalog="/c", key_file="/k")


def slot(kind: str) -> KeySlot:
    """A slot as far as a sheet is about it."""
    assert kind in {"passphrase", "key-file"}
    return KeySlot(
        kind="passphrase" if kind == "passphrase" else "key-file", created_at=NOW, salt=b"", scrypt=None,
        commitment=b"", wrapped=b"",
    )  # fmt: skip


def test_what_stands_on_a_sheet() -> None:
    """Repository, place, date, every slot, the commands to type, and the key of the slot that it is of."""
    slots = {1: slot("key-file"), 2: slot("passphrase"), 3: slot("key-file")}
    text = sheet_text(REF, slots, PrintedKey(3, KEY), NOW)
    for part in (
        REF.repository_id, REF.url, "2026-11-23 07:40 UTC", "slot 2: the passphrase",
        "slot 3: the key file set on 2026-11-23. It is below.", "slot 1: the key file set on 2026-11-23. It is not",
        "tuiback adopt '/mnt/my nas' --key-file KEYFILE", *key_lines(KEY),
    ):  # fmt: skip
        assert part in text
    assert max(map(len, text.splitlines())) <= 105


def test_no_key_without_a_key_file() -> None:
    """Where only a passphrase opens the repository, the sheet holds no secret and names no key file."""
    text = sheet_text(REF, {1: slot("passphrase")}, None, NOW)
    assert find_key(text, 32) is None
    assert "key-file" not in text


@given(st.binary(min_size=32, max_size=32))
def test_a_sheet_is_a_key_file(key: bytes) -> None:
    """The key comes back from the whole sheet and from its lines alone, however they are spaced and in capitals."""
    assert find_key(sheet_text(REF, {1: slot("key-file")}, PrintedKey(1, key), NOW), 32) == key
    typed = "\r\n".join(line.upper().replace(" ", "   ") for line in key_lines(key))
    assert find_key(typed, 32) == key


@given(position=st.integers(0, 19), digit=st.sampled_from("0123456789abcdef"), line=st.integers(0, 3))
def test_a_mistyped_line_is_named(position: int, digit: str, line: int) -> None:
    """One wrong digit, in the key or in the checksum, is found and its line named."""
    lines = key_lines(KEY)
    number, _, rest = lines[line].partition("  ")
    places = [index for index, character in enumerate(rest) if character != " "]
    if rest[places[position]] == digit:
        return
    lines[line] = f"{number}  {rest[: places[position]]}{digit}{rest[places[position] + 1 :]}"
    with pytest.raises(UsageError, match=f"line {line + 1} of the key"):
        find_key("\n".join(lines), 32)


@pytest.mark.parametrize("line", range(4))
def test_a_missing_or_swapped_line_is_named(line: int) -> None:
    """Neither a line left out nor one in another's place passes."""
    lines = key_lines(KEY)
    left_out = [kept for kept in lines if kept != lines[line]]
    with pytest.raises(UsageError, match=f"line {line + 1} "):
        find_key("\n".join(left_out), 32)
    other = lines[(line + 1) % 4]
    with pytest.raises(UsageError, match="line"):
        find_key("\n".join([*left_out, f"{line + 1}{other[1:]}"]), 32)


def test_a_typed_sheet_opens_as_a_key_file(tmp_path: Path) -> None:
    """read_key takes a sheet as it was written, and names the file when it is neither key nor sheet."""
    write_sheet(tmp_path / "sheet", sheet_text(REF, {1: slot("key-file")}, PrintedKey(1, KEY), NOW))
    assert read_key(tmp_path / "sheet").value == KEY
    (tmp_path / "letter").write_text("1  dear  reader\n")
    with pytest.raises(UsageError, match="letter"):
        read_key(tmp_path / "letter")


def test_a_sheet_is_private_and_replaces_nothing(tmp_path: Path) -> None:
    """Only its owner can read it, and a file in its place stays."""
    write_sheet(tmp_path / "sheet", "one")
    assert (tmp_path / "sheet").stat().st_mode & 0o777 == 0o600
    with pytest.raises(EnvironmentFault, match="key sheet"):
        write_sheet(tmp_path / "sheet", "two")
    assert (tmp_path / "sheet").read_text() == "one"


def test_a_key_is_not_shown() -> None:
    """No repr gives the key away."""
    assert repr(KEY)[2:-1] not in repr(PrintedKey(1, KEY))
