"""`check`: what it looks at, what it says of damage, and what --repair makes of it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import DRIVE, MAILBOX
from tuiback.catalog import State
from tuiback.engine.hosting.host import HomeLock


def packs(home: Path) -> list[Path]:
    """The packs' files, the oldest first."""
    return sorted((home / "repository" / "packs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)


def flip(path: Path, place: int) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[place] ^= 2
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("options", "verified"), [([], 0), (["--scrub"], 2), (["--read-data"], 2), (["--sample", "50"], 1)]
)
def test_a_whole_repository(tuiback: Tuiback, seeded: Path, options: list[str], verified: int) -> None:
    """Each extent says how much it looked at; nothing is damaged, and without a terminal nothing else is said."""
    ended = tuiback("--json", "--home", seeded, "check", *options)
    assert (ended.code, ended.err) == (0, "")
    document = ended.document
    assert document["schema"] == "tuiback.check/1"
    assert (document["ok"], document["packs"], document["packs_verified"]) == (True, 2, verified)
    assert (document["damaged"], document["repaired"], document["quarantined"]) == (0, 0, 0)
    assert (document["items_compared"] > 0) == (options[:1] == ["--sample"])
    assert (document["bytes_read"] > 0) == bool(options)


def test_extents_exclude_each_other(tuiback: Tuiback, seeded: Path) -> None:
    """A sample of what is read whole anyway makes no sense, and neither does none of it."""
    assert tuiback("--home", seeded, "check", "--scrub", "--read-data").code == 2
    assert tuiback("--home", seeded, "check", "--sample", "0").code == 2


def test_damage_is_named_and_only_read_data_sees_all(tuiback: Tuiback, seeded: Path) -> None:
    """A flipped bit of content needs more than the structure; whoever reads the error is told about --repair."""
    pack = packs(seeded)[0]
    flip(pack, 170)
    assert tuiback("--home", seeded, "check").code == 0
    for option in ("--scrub", "--read-data"):
        ended = tuiback("--json", "--home", seeded, "check", option)
        assert ended.code == 9
        assert ("pack", pack.name) in {(finding["kind"], finding["name"]) for finding in ended.document["findings"]}
        assert "check --repair" in ended.err


def test_repair_tells_what_is_lost_and_the_next_check_is_clean(tuiback: Tuiback, seeded: Path) -> None:
    """Each version that lost content is named with its path; live ones are owed; what is known is no damage again.

    The newest hello shares its properties with the first.
    """
    packs(seeded)[0].unlink()
    ended = tuiback("--json", "--home", seeded, "check", "--repair")
    assert ended.code == 9
    document = ended.document
    assert (document["ok"], document["left"]) == (False, [])
    lost = {(item["account_id"], item["path"], item["version"], item["live"]) for item in document["lost"]}
    assert lost == {
        (MAILBOX, "Posteingang/hello", 1, False),
        (MAILBOX, "Posteingang/hello", 2, True),
        (MAILBOX, "Posteingang/gone", 1, False),
        (MAILBOX, "Projects%2F2026/\x1b[2Jred\u202e", 1, True),
        (DRIVE, "Docs/plan.txt", 1, True),
    }
    assert document["owed"] == 3
    assert "Docs/plan.txt, version #1: fetched again by the next run" in ended.err
    assert "\x1b" not in ended.err
    owed = {row["id"] for row in tuiback("--json", "--home", seeded, "owed").rows}
    assert {"d-plan", "m-hostile", "m-hello"} <= owed
    again = tuiback("--json", "--home", seeded, "check", "--read-data")
    assert (again.code, again.document["known_lost"]) == (0, 5)
    assert tuiback("--home", seeded, "cat", MAILBOX, "@inbox/hello").out.endswith(b"second\r\n")


def test_repair_of_what_loses_nothing_ends_well(tuiback: Tuiback, seeded: Path) -> None:
    """The exit code is 0, because all is whole again; what was found is told all the same."""
    (seeded / "repository" / "config").write_bytes(b"{}\n")
    ended = tuiback("--json", "--home", seeded, "check", "--repair")
    assert (ended.code, ended.document["ok"], ended.document["repaired"]) == (0, True, 1)
    assert "config" in ended.err
    assert tuiback("--home", seeded, "check", "--read-data", "--repair").code == 0


def test_repair_needs_the_home(tuiback: Tuiback, seeded: Path) -> None:
    """While another engine holds it, nothing is touched; a check alone may run beside it."""
    lock = HomeLock(seeded)
    try:
        assert tuiback("--home", seeded, "check", "--repair").code == 5
        assert tuiback("--home", seeded, "check", "--scrub").code == 0
    finally:
        lock.release()


def test_a_damaged_pack_is_put_aside(tuiback: Tuiback, seeded: Path) -> None:
    """It lies in quarantine as it was, what was whole in it lies in another pack, and one record alone is lost."""
    pack = packs(seeded)[0]
    flip(pack, 170)
    damaged = pack.read_bytes()
    document = tuiback("--json", "--home", seeded, "check", "--scrub", "--repair").document
    assert document["quarantined"] == 1
    aside = seeded / "repository" / "quarantine" / "packs" / pack.name[:2] / pack.name
    assert aside.read_bytes() == damaged
    assert not pack.exists()
    assert 0 < len({item["id"] for item in document["lost"]}) < 4
    assert document["repaired"] == 1


def test_a_commit_lost_behind_the_catalog_is_healed_by_it(tuiback: Tuiback, seeded: Path) -> None:
    """What the catalog still knows goes into a new checkpoint, and every item can be had as before."""
    newest = max((seeded / "repository" / "commits" / "seeder").iterdir())
    newest.unlink()
    assert tuiback("--home", seeded, "check").code == 9
    assert tuiback("--home", seeded, "check", "--repair").code == 0
    assert tuiback("--home", seeded, "rebuild-catalog").code == 0
    assert tuiback("--home", seeded, "cat", MAILBOX, "@inbox/hello").out.endswith(b"second\r\n")
    state = State.open(seeded / "catalogs" / "main" / "state.db")
    assert state.writer_id() != "seeder"
    state.close()
