"""Decisions: what a listed item asks for, and whom a task covers."""

import pytest
from msgspec.structs import replace
from msgspec.structs import replace as changed

from tuiback.connectors.base import Discovered
from tuiback.engine.settings.decide import Verdict, account_id_of, fits, scope_of, verdict
from tuiback.model import Account, AccountKind, Kind, Known, RemoteItem, Task

ITEM = RemoteItem("m1", Kind.MESSAGE, "in", "hello", 0, "2026-01-01T00:00:00Z", "tag 1", "content 1")
KNOWN = Known("m1", Kind.MESSAGE, "in", "in", "hello", "tag 1", "content 1", (), live=True, removal_pending=False)


def moved(known: Known, item: RemoteItem) -> bool:
    """As a connector would say it."""
    return known.parent_id != item.parent_id and known.content_tag == item.content_tag


@pytest.mark.parametrize(
    ("item", "known", "wanted"),
    [
        (ITEM, None, Verdict.FETCH),
        (ITEM, KNOWN, Verdict.UNCHANGED),
        (changed(ITEM, etag="tag 2"), KNOWN, Verdict.FETCH),
        (changed(ITEM, parent_id="arc", etag="tag 2"), KNOWN, Verdict.CARRY_OVER),
        (changed(ITEM, parent_id="arc", etag="tag 2", content_tag="content 2"), KNOWN, Verdict.FETCH),
        (changed(ITEM, name="renamed"), KNOWN, Verdict.CARRY_OVER),
        (ITEM, changed(KNOWN, live=False), Verdict.CARRY_OVER),
        (ITEM, changed(KNOWN, removal_pending=True), Verdict.CARRY_OVER),
        (ITEM, changed(KNOWN, container_id="arc"), Verdict.CARRY_OVER),
        (changed(ITEM, kind=Kind.FOLDER, has_content=False), None, Verdict.STORE_FACTS),
        (changed(ITEM, kind=Kind.FOLDER, has_content=False), KNOWN, Verdict.UNCHANGED),
    ],
)
def test_verdicts(item: RemoteItem, known: Known | None, wanted: Verdict) -> None:
    """Only what is new or changed is fetched; what moved, returned or was renamed keeps its content."""
    assert verdict(item, "in", known, moved) is wanted


def user(name: str, kind: AccountKind = AccountKind.MAILBOX, object_id: str | None = None) -> Discovered:
    """A discovered account."""
    return Discovered(kind, name if object_id is None else object_id, name, name.title(), f"{name}@x.example")


def stored(found: Discovered, task: str = "mail") -> Account:
    """The account as the catalog has it."""
    return Account(account_id_of(found), found.kind, "acme", task, found.owner_id, found.name, found.address)


ANNA, BERT, CARL = user("anna"), user("bert"), user("carl")
EVERYBODY = [ANNA, BERT, CARL]
ALL = Task(name="mail", tenant="acme", service="exchange", everything=True)


def test_everything_covers_new_ones_too() -> None:
    """All accounts but the excluded; one that is no longer there is gone."""
    task = replace(ALL, exclude=("mailbox:bert@x.example",))
    scope = scope_of(task, [ANNA, BERT], [stored(ANNA), stored(CARL)], frozenset())
    assert scope.covered == (ANNA,)
    assert [(left.account.owner_id, left.reason) for left in scope.gone] == [("carl", "left the tenant")]


def test_named_accounts_only() -> None:
    """A task with a list covers the list; a name that fits nobody is told, unless that account is known as gone."""
    task = replace(ALL, everything=False, accounts=("ANNA@x.example", "nobody@x.example", "carl@x.example"))
    scope = scope_of(task, [ANNA, BERT], [stored(CARL)], frozenset())
    assert scope.covered == (ANNA,)
    assert scope.unmatched == ("nobody@x.example",)


def test_fixed_scope_is_the_list_of_its_day() -> None:
    """With --fixed, accounts that come later are not covered."""
    task = replace(ALL, fixed=True, accounts=("mailbox:anna",))
    assert scope_of(task, EVERYBODY, [], frozenset()).covered == (ANNA,)


def test_a_group_and_its_exceptions() -> None:
    """Members and named accounts are covered, but not who is excluded; who leaves the group is gone with the reason."""
    task = replace(ALL, everything=False, groups=("sales",), accounts=("carl@x.example",), exclude=("bert@x.example",))
    known = [stored(found) for found in (ANNA, BERT, CARL)]
    scope = scope_of(task, EVERYBODY, known, frozenset(), {"anna", "bert"})
    assert scope.covered == (ANNA, CARL)
    assert [(left.account.owner_id, left.reason) for left in scope.gone] == [("bert", "excluded from the task")]
    scope = scope_of(task, EVERYBODY, known, frozenset(), {"bert"})
    assert scope.covered == (CARL,)
    reasons = {left.account.owner_id: left.reason for left in scope.gone}
    assert reasons == {"anna": "left the group", "bert": "excluded from the task"}


def test_who_has_lost_the_licence() -> None:
    """A person without such an account any more is told apart from one who left."""
    scope = scope_of(ALL, [replace(ANNA, object_id="")], [stored(ANNA), stored(BERT)], frozenset())
    assert [left.reason for left in scope.gone] == ["has no account of this service any more", "left the tenant"]


def test_nothing_is_backed_up_twice() -> None:
    """A task over everything leaves accounts of other tasks alone; a task that names one takes it."""
    taken = frozenset({"mailbox:bert"})
    scope = scope_of(ALL, EVERYBODY, [], taken)
    assert scope.covered == (ANNA, CARL)
    assert scope.taken == (BERT,)
    named = replace(ALL, everything=False, accounts=("bert@x.example",))
    assert scope_of(named, EVERYBODY, [], taken).covered == (BERT,)


def test_users_without_an_account_are_nobody() -> None:
    """A user without a drive makes no account, however many there are."""
    nobody = [user(name, AccountKind.DRIVE, "") for name in ("anna", "bert")]
    scope = scope_of(ALL, [*nobody, CARL], [], frozenset())
    assert scope.covered == (CARL,)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("anna@x.example", True),
        ("ANNA@X.EXAMPLE", True),
        ("mailbox:anna", True),
        ("drive:anna", False),
        ("Anna", True),
        ("ann", False),
        ("old@x.example", True),
    ],
)
def test_how_accounts_are_named(text: str, yes: bool) -> None:
    """Address in any case, former address, id or name; a kind before it must fit."""
    assert fits(text, replace(ANNA, aliases=("old@x.example",))) is yes
