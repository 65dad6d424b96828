import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.build import (
    A,
    B,
    account,
    at,
    closed,
    container,
    folder,
    opened,
    removal,
    version,
)
from tests.catalog.conftest import Bench
from tuiback.catalog import Hit, SearchFiller, SearchScope, parse_query
from tuiback.catalog.search_files import GROUPS, group_of, group_path
from tuiback.model import Expired, Kind


def fill(bench: Bench, batch: int = 1000) -> int:
    """Bring the search files up to date; how many pieces of work that were."""
    filler = SearchFiller(bench.path)
    steps = 0
    while filler.step(batch):
        steps += 1
    assert filler.lag == 0
    filler.close()
    return steps


def hits(bench: Bench, text: str, **scope: Any) -> list[Hit]:
    """What is found."""
    return list(bench.reader.search(parse_query(text), SearchScope(**scope)))


def found(bench: Bench, text: str, **scope: Any) -> list[str]:
    """The ids of what is found, in the order it is found in."""
    return [hit.item_id for hit in hits(bench, text, **scope)]


def mail(item_id: str, seq: int = 1, subject: str = "", **fields: Any) -> Any:
    """A message with its attributes as the connector has them."""
    attrs = {"subject": subject, "from": fields.pop("sender", ""), "to": fields.pop("to", "")}
    return version(item_id, seq, name=subject, attrs=tuple(attrs.items()), **fields)


def kept(bench: Bench, *versions: Any, seq: int = 1, **fields: Any) -> None:
    """A closed snapshot of each account with these versions."""
    ids = sorted({v.account_id for v in versions} or {A})
    bench.apply(
        accounts=tuple(account(i, address=f"{i}@acme.example", task=f"task-{i[-1]}") for i in ids),
        containers=(container(),),
        snapshots_opened=tuple(opened(seq, i) for i in ids),
        versions=versions,
        snapshots_closed=tuple(closed(seq, i) for i in ids),
        **fields,
    )


def test_words_fields_and_phrases(bench: Bench) -> None:
    """All terms must hold; fields look in their own text only, phrases want their words in a row."""
    kept(
        bench,
        mail("m1", subject="Quarterly report for Anna", sender="Bob Meyer <bob@acme.example>", to="anna@acme.example"),
        mail("m2", subject="Report, quarterly", sender="Anna <anna@acme.example>", to="Bob Meyer <bob@acme.example>"),
        version("f1", 1, kind=Kind.FILE, name="Quarterly_Report-final.PDF", size=2_000_000),
    )
    fill(bench)
    assert set(found(bench, "quarterly REPORT")) == {"m1", "m2", "f1"}
    assert set(found(bench, '"quarterly report"')) == {"m1", "f1"}
    assert found(bench, "from:anna") == ["m2"]
    assert found(bench, "to:anna@acme.example") == ["m1"]
    assert found(bench, 'from:"bob meyer" subject:report') == ["m1"]
    assert found(bench, "subject:meyer") == []
    assert found(bench, "quart* type:pdf") == ["f1"]
    assert found(bench, "quarterly type:message name:anna") == ["m1"]
    assert found(bench, "report size:>1mb") == ["f1"]
    assert found(bench, "size:1.9mb..2.1mb") == ["f1"]
    assert found(bench, "quarter") == []
    assert found(bench, "kmessage") == []


def test_any_script_and_form(bench: Bench) -> None:
    """Case, accents and composition make no difference; any part of a text without spaces is found."""
    kept(
        bench,
        mail("m1", subject="Überprüfung der Größe"),
        mail("m2", subject=unicodedata.normalize("NFD", "Résumé 2026")),
        mail("m3", subject="国会議事堂の会議資料2026年版"),
        mail("m4", subject="회의록을 보냅니다"),
        mail("m5", subject=unicodedata.normalize("NFD", "ガイドライン")),
    )
    fill(bench)
    for text in ("überprüfung", "UBERPRUFUNG", unicodedata.normalize("NFD", "größe"), "grosse", "GRÖSSE"):
        assert found(bench, text) == ["m1"]
    for text in ("résumé", "Resume", "resume 2026"):
        assert found(bench, text) == ["m2"]
    for text in ("会議", "議事堂", "資料", "堂", "料", "会議資料2026", "版", "国会議事堂の会議資料", "会*"):
        assert found(bench, text) == ["m3"], text
    for text in ("회의", "회의록", unicodedata.normalize("NFD", "회의록")):
        assert found(bench, text) == ["m4"]
    for text in ("ガイド", "ｶﾞｲﾄﾞ", unicodedata.normalize("NFD", "ライン")):
        assert found(bench, text) == ["m5"]
    assert found(bench, "議会") == []


def test_hit(bench: Bench) -> None:
    """A find tells where it belongs, which snapshot still shows it, when it was seen and when it went."""
    kept(bench, mail("m1", subject="first words"))
    kept(bench, mail("m1", 2, subject="other words"), seq=2)
    kept(bench, seq=3, removals=(removal("m1", 3),))
    fill(bench)
    assert hits(bench, "other") == [
        Hit("m1", A, f"{A}@acme.example", "task-a", Kind.MESSAGE, "other words", 10, "2026-11-20T10:00:00Z",
            2, 2, at(2), at(3), at(4))
    ]  # fmt: skip
    (old,) = hits(bench, "first")
    assert (old.name, old.from_seq, old.snapshot, old.deleted_at) == ("first words", 1, 1, None)
    assert [hit.name for hit in hits(bench, "words")] == ["other words"]
    assert found(bench, "words", deleted=True) == ["m1"]
    kept(bench, mail("m1", 4, subject="back again"), seq=4)
    fill(bench)
    assert found(bench, "words", deleted=True) == []
    assert [hit.deleted_at for hit in hits(bench, "other")] == [None]


def test_newest_first_over_all_accounts(bench: Bench) -> None:
    """What was received last comes first, whatever was backed up last and whoever owns it."""
    times = ["2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z", "2019-01-01T00:00:00Z", "2026-11-21T00:00:00Z", ""]
    accounts = [A, B, A, B, A]
    kept(
        bench,
        *(
            mail(f"m{n}", subject="word", modified=time, account_id=of)
            for n, (time, of) in enumerate(zip(times, accounts, strict=True))
        ),
    )
    fill(bench)
    assert found(bench, "word") == ["m3", "m0", "m1", "m2", "m4"]
    assert found(bench, "word", since=at(-4 * 24 * 60)) == ["m3", "m0", "m1"]
    assert found(bench, "word", until=at(-4 * 24 * 60)) == ["m2"]
    assert found(bench, "word", account_id=A) == ["m0", "m2", "m4"]
    assert found(bench, "word", task="task-b") == ["m3", "m1"]
    assert found(bench, "word", account_id=A, task="task-b") == []
    assert found(bench, "word", kind=Kind.FILE) == []
    assert found(bench, "word", kind=Kind.MESSAGE, account_id=B) == ["m3", "m1"]


def test_pages_of_finds(bench: Bench) -> None:
    """More than one look's worth comes once and whole, in order."""
    kept(bench, *(mail(f"m{n}", subject="word", modified=f"20{n % 20:02}-01-01T00:00:00Z") for n in range(700)))
    fill(bench, batch=150)
    all_found = found(bench, "word")
    assert sorted(all_found) == sorted(f"m{n}" for n in range(700))
    years = [int(item_id[1:]) % 20 for item_id in all_found]
    assert years == sorted(years, reverse=True)


def test_an_open_snapshot_is_not_shown_yet(bench: Bench) -> None:
    """What no recovery point shows can't be brought back, so it is not found; at the close it is."""
    bench.apply(accounts=(account(),), snapshots_opened=(opened(1),), versions=(mail("m1", subject="word"),))
    fill(bench)
    assert found(bench, "word") == []
    bench.apply(snapshots_closed=(closed(1),))
    assert found(bench, "word") == ["m1"]


def test_lag(bench: Bench) -> None:
    """What is not indexed yet is counted, exactly, and nothing is asked twice when it is."""
    kept(bench, *(mail(f"m{n}", subject="word") for n in range(25)))
    assert bench.reader.search_lag() == 25
    assert bench.reader.search_lag(most=10) == 10
    filler = SearchFiller(bench.path)
    assert filler.step(10)
    assert (filler.lag, bench.reader.search_lag()) == (15, 15)
    assert len(found(bench, "word")) == 10
    filler.close()
    assert fill(bench, 10) == 2
    assert bench.reader.search_lag() == 0
    assert fill(bench) == 0


def test_a_file_thrown_away_is_filled_again(bench: Bench) -> None:
    """Deleted, damaged or of another catalog: the search file of a group is made anew, the others stay."""
    kept(bench, mail("m1", subject="word"), mail("m2", subject="word", account_id=B))
    fill(bench)
    path, other = (group_path(bench.path, group) for group in (1, 2))
    untouched = other.stat().st_ino
    for spoil in (path.unlink, lambda: path.write_bytes(b"no database" * 1000), lambda: path.write_bytes(b"")):
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        spoil()
        assert found(bench, "word") == ["m2"]
        assert bench.reader.search_lag() == 1
        fill(bench)
        assert found(bench, "word") == ["m2", "m1"]
        assert other.stat().st_ino == untouched


def test_a_file_thrown_away_under_the_filler(bench: Bench) -> None:
    """A filler at work notices and fills it again."""
    kept(bench, mail("m1", subject="word"))
    filler = SearchFiller(bench.path)
    while filler.step():
        pass
    group_path(bench.path, 1).unlink()
    kept(bench, mail("m2", 2, subject="word"), seq=2)
    while filler.step():
        pass
    filler.close()
    assert found(bench, "word") == ["m2", "m1"]


def test_files_of_another_catalog_are_removed(bench: Bench, tmp_path: Path) -> None:
    """A rebuilt catalog has other numbers: nothing that the old files hold is found or kept."""
    kept(bench, mail("m1", subject="secret"))
    fill(bench)
    stale = group_path(bench.path, GROUPS - 1)
    group_path(bench.path, 1).rename(stale)
    bench.catalog._connection.execute("UPDATE identity SET made = 'anew'")
    assert found(bench, "secret") == []
    fill(bench)
    assert not stale.exists()
    assert found(bench, "secret") == ["m1"]


def _bytes_on_disk(bench: Bench) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(bench.path.parent.glob("search-*")))


def _expire(bench: Bench, where: str) -> None:
    """As retention does it: versions first, then the rest."""
    bench.catalog._connection.execute(f"DELETE FROM versions WHERE {where}")


def test_what_expired_is_really_gone(bench: Bench) -> None:
    """No byte of the search files holds a word of it, terms and logs included; the others are still found."""
    kept(
        bench,
        mail("m1", subject="zebraword plainly", sender="giraffe@acme.example", to="okapi@acme.example"),
        mail("m2", subject="plainly else"),
        mail("m3", subject="third", account_id=B),
    )
    fill(bench)
    assert b"zebraword" in _bytes_on_disk(bench)
    _expire(bench, "name LIKE 'zebra%'")
    assert found(bench, "plainly") == ["m2"]
    fill(bench)
    for word in (b"zebra", b"giraffe", b"okapi"):
        assert word not in _bytes_on_disk(bench)
    assert found(bench, "plainly") == ["m2"]
    assert found(bench, "third") == ["m3"]


def test_an_account_that_goes_whole(bench: Bench) -> None:
    """Whatever order its rows go in, its group forgets it."""
    kept(bench, mail("m1", subject="zebraword"), mail("m2", subject="other", account_id=B))
    fill(bench)
    connection = bench.catalog._connection
    connection.execute("DELETE FROM items WHERE account_no = 1")
    connection.execute("DELETE FROM versions WHERE name = 'zebraword'")
    connection.execute("DELETE FROM accounts WHERE account_no = 1")
    fill(bench)
    assert b"zebra" not in _bytes_on_disk(bench)
    assert found(bench, "other") == ["m2"]


def test_retention_and_erasure(bench: Bench) -> None:
    """What a commit gives up, single versions or whole accounts, leaves no word in the search files."""
    kept(bench, mail("m1", subject="zebraword"), mail("m2", subject="okapiword", account_id=B), mail("m3", subject="x"))
    kept(bench, mail("m1", 2, subject="other"), seq=2)
    fill(bench)
    bench.apply(expired=(Expired(A, versions=(("m1", 1),), snapshots=(1,)), Expired(B, whole=True)))
    fill(bench)
    assert b"zebra" not in _bytes_on_disk(bench)
    assert b"okapi" not in _bytes_on_disk(bench)
    assert found(bench, "other") == ["m1"]
    assert found(bench, "okapiword") == []


@pytest.mark.parametrize("seen_between", [False, True])
def test_numbers_used_again(bench: Bench, *, seen_between: bool) -> None:
    """A version that got the number of one that expired is found, the expired one is not."""
    kept(bench, mail("m1", subject="first"), mail("m2", subject="second"))
    fill(bench)
    _expire(bench, "name = 'second'")
    if seen_between:
        fill(bench)
    kept(bench, mail("m3", 2, subject="third"), mail("m4", 2, subject="fourth"), seq=2)
    fill(bench)
    assert [found(bench, word) for word in ("first", "second", "third", "fourth")] == [["m1"], [], ["m3"], ["m4"]]


def test_two_fillers_at_once(bench: Bench) -> None:
    """They take turns without doing anything twice or leaving anything out."""
    kept(bench, *(mail(f"m{n}", subject="word", account_id=(A, B)[n % 2]) for n in range(60)))
    fillers = SearchFiller(bench.path), SearchFiller(bench.path)
    busy = True
    while busy:
        busy = sum(filler.step(7) for filler in fillers) > 0
    for filler in fillers:
        filler.close()
    assert len(found(bench, "word")) == len(set(found(bench, "word"))) == 60
    _expire(bench, "name = 'word' AND version_no > 30")
    fill(bench)
    assert len(found(bench, "word")) == 30


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_events_ends_the_same(bench: Bench, seed: int) -> None:
    """Versions come and expire, fillers take turns, files vanish: what is found in the end is what there is."""
    chance = random.Random(seed)
    fillers = [SearchFiller(bench.path), SearchFiller(bench.path)]
    for seq in range(1, 25):
        ids = (A, B)[: chance.randint(1, 2)]
        names = [chance.choice("abcdefgh") for _ in range(chance.randint(1, 4))]
        kept(
            bench, *(mail(name, seq, subject=f"{name} word{seq}", account_id=i) for i in ids for name in set(names)),
            seq=seq,
        )  # fmt: skip
        if chance.random() < 0.4:
            _expire(bench, f"until_seq < {seq - chance.randint(0, 3)} OR version_no % 7 = {chance.randrange(7)}")
        if chance.random() < 0.1:
            group_path(bench.path, chance.randint(1, 2)).unlink(missing_ok=True)
        for _ in range(chance.randint(0, 6)):
            chance.choice(fillers).step(chance.randint(1, 5))
        bench.catalog.forget_dropped(min(filler.followed_drops for filler in fillers))
    for filler in fillers:
        filler.close()
    fill(bench)
    connection = bench.catalog._connection
    for seq in range(1, 25):
        there = connection.execute(
            "SELECT item_id FROM versions JOIN items USING (item_no) WHERE name LIKE ? ORDER BY 1", (f"% word{seq}",)
        ).fetchall()
        assert sorted(found(bench, f"word{seq}")) == [item_id for (item_id,) in there]
    assert fill(bench) == 0


def test_the_catalog_may_forget_what_was_followed(bench: Bench) -> None:
    """All files tell that they know of the removals, also those with none of them."""
    kept(bench, mail("m1", subject="word"), mail("m2", subject="word", account_id=B), folder("f", 1))
    filler = SearchFiller(bench.path)
    while filler.step():
        pass
    assert filler.followed_drops == 0
    _expire(bench, "name = 'word'")
    while filler.step():
        pass
    assert filler.followed_drops == 2
    bench.catalog.forget_dropped(filler.followed_drops)
    assert not filler.step()
    filler.close()
    again = SearchFiller(bench.path)
    assert not again.step()
    assert again.followed_drops == 2
    again.close()
    assert group_of(1) != group_of(2)
