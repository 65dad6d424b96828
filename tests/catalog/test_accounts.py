from collections import Counter

import msgspec

from tuiback.model import AccountState, ControlRow, Outcome, Task, Tenant

from .build import A, B, account, at, closed, opened, owed, version
from .conftest import Bench

DRIVE = "drive:b!x"


def ids(bench: Bench, text: str, task: str | None = None) -> list[str]:
    """The ids of the accounts that the text names."""
    return [found.account_id for found in bench.reader.find_accounts(text, task)]


def test_tenants_and_tasks_come_back_as_they_were(bench: Bench) -> None:
    """What a bare machine needs back survives JSON, sealed bytes too."""
    tenant = Tenant("contoso", "t", "c", "global", "https://g", "https://a", "secret", b"\x00\xffsealed", None)
    tasks = (Task("files", "contoso", "onedrive", accounts=("a@x",)), Task("mail", "contoso", "exchange", True))
    controls = [ControlRow("tenant", tenant.name, msgspec.json.encode(tenant))]
    controls += [ControlRow("task", task.name, msgspec.json.encode(task)) for task in tasks]
    bench.apply(controls=tuple(controls))
    assert bench.reader.tenants() == (tenant,)
    assert bench.reader.tasks() == tasks


def test_an_address_that_moves_on_is_remembered_with_its_dates(bench: Bench) -> None:
    """Both accounts that ever had the address are found by it, the one that has it now first."""
    bench.apply(accounts=(account(A, address="anna@x"), account(B, address="bert@x")), minute=1)
    bench.apply(accounts=(account(A, address="anna.old@x"), account(B, address="ANNA@x")), minute=2)
    bench.apply(accounts=(account(A, address="ANNA.OLD@x"),), minute=3)
    assert [(alias.address, alias.since, alias.until) for alias in bench.reader.aliases(A)] == [
        ("anna.old@x", at(2), None),
        ("anna@x", at(1), at(2)),
    ]
    assert ids(bench, "Anna@X") == [B, A]
    assert ids(bench, "bert@x") == [B]


def test_an_account_that_loses_its_address_keeps_it_as_a_former_one(bench: Bench) -> None:
    """An empty address is no alias."""
    bench.apply(accounts=(account(A, address="anna@x"),), minute=1)
    bench.apply(accounts=(account(A, address=""),), minute=2)
    assert [alias.until for alias in bench.reader.aliases(A)] == [at(2)]
    assert ids(bench, "anna@x") == [A]


def test_an_account_is_found_by_any_of_its_names_exactly(bench: Bench) -> None:
    """Account id, object id, owner and name; with a kind before the colon only accounts of that kind."""
    bench.apply(
        accounts=(
            account(A, address="anna@x", name="Anna Ax"),
            account(DRIVE, address="anna@x", owner_id="a", task="files"),
        )
    )
    assert ids(bench, A) == [A]
    assert ids(bench, "Anna Ax") == [A]
    assert ids(bench, "b!x") == [DRIVE]
    assert ids(bench, "a") == [DRIVE, A]
    assert ids(bench, "anna@x") == [DRIVE, A]
    assert ids(bench, "mailbox:anna@x") == [A]
    assert ids(bench, "drive:a") == [DRIVE]
    assert ids(bench, "anna@x", "files") == [DRIVE]
    assert ids(bench, "anna") == []
    assert ids(bench, "site:anna@x") == []
    assert ids(bench, "an%") == []


def test_accounts_of_a_task(bench: Bench) -> None:
    """Without a task all accounts are listed; one that no commit has described is not."""
    facts = account(A, address="z@x", state=AccountState.GONE, gone_at=at(5), gone_reason="licence")
    drive = account(DRIVE, task="files", address="y@x")
    bench.apply(accounts=(facts, drive), versions=(version("m", 1, account_id=B),))
    assert bench.reader.accounts("mail") == (facts,)
    assert [each.account_id for each in bench.reader.accounts()] == [DRIVE, A]


def test_the_overview_tells_how_each_account_stands(bench: Bench) -> None:
    """Never before the first point, failed after a failed snapshot or a debt of the whole account, gone at last."""

    def state() -> tuple[str, int, int]:
        (row,) = bench.reader.account_overview("mail")
        return row.state, row.points, row.owed

    bench.apply(accounts=(account(address="anna@x"),), snapshots_opened=(opened(1),))
    assert state() == ("never", 0, 0)
    bench.apply(versions=(version("m", 1, size=7),), snapshots_closed=(closed(1),), owed=(owed("n"),))
    assert state() == ("ok", 1, 1)
    bench.apply(snapshots_closed=(closed(1, verified_until=at(90)),))
    bench.apply(snapshots_closed=(closed(2, outcome=Outcome.FAILED),))
    assert state() == ("failed", 2, 1)
    bench.apply(snapshots_closed=(closed(3, outcome=Outcome.PARTIAL),))
    assert state() == ("ok", 3, 1)
    bench.apply(owed=(owed("", ""),))
    assert state() == ("failed", 3, 2)
    bench.apply(accounts=(account(address="anna@x", state=AccountState.GONE),))
    (row,) = bench.reader.account_overview()
    assert (row.state, row.items, row.bytes, row.last_ok_at) == ("gone", 1, 7, at(90))
    assert [alias.address for alias in row.aliases] == ["anna@x"]
    assert bench.reader.account_overview("other") == ()


def test_totals_are_kept_by_task(bench: Bench) -> None:
    """Each task's accounts add up to the whole."""
    bench.apply(accounts=(account(A), account(DRIVE, task="files")))
    bench.apply(versions=(version("m", 1), version("n", 1), version("f", 1, account_id=DRIVE, size=5)))
    files, mail = bench.reader.totals_by_task()
    assert (files.task, files.accounts, files.items, files.live_bytes, files.versions) == ("files", 1, 1, 5, 1)
    assert (mail.task, mail.accounts, mail.items, mail.live_bytes, mail.versions) == ("mail", 1, 2, 20, 2)
    totals = bench.reader.totals()
    assert (totals.items, totals.live_bytes, totals.versions) == (3, 25, 3)
    assert totals.catalog_bytes >= bench.path.stat().st_size


def test_states_are_counted_as_the_overview_tells_them(bench: Bench) -> None:
    """Late are those that are ok, but not since when their task asks for; one never ok is late if the task says so."""
    names = [f"mailbox:{letter}" for letter in "abcdef"]
    bench.apply(accounts=tuple(account(name, task="files" if name == "mailbox:f" else "mail") for name in names))
    bench.apply(snapshots_closed=tuple(closed(1, name) for name in names[:3]))
    bench.apply(
        snapshots_closed=(
            closed(2, "mailbox:b", verified_until=at(90)), closed(2, "mailbox:c", Outcome.FAILED),
            closed(1, "mailbox:d", Outcome.PARTIAL), closed(1, "mailbox:f"),
        ),
        accounts=(account("mailbox:e", task="mail", state=AccountState.GONE),),
    )  # fmt: skip
    told = Counter(row.state for row in bench.reader.account_overview())
    assert bench.reader.count_states({}) == told == {"ok": 4, "failed": 1, "gone": 1}
    assert bench.reader.count_states({"mail": (at(60), True)}) == {"late": 2, "ok": 2, "failed": 1, "gone": 1}
    assert bench.reader.count_states({"mail": (at(60), False)}) == {"late": 1, "ok": 3, "failed": 1, "gone": 1}
