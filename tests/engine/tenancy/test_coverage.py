"""Tests of who is protected by nothing."""

from typing import Any

from msgspec.structs import replace

from tests.engine.rig import TASK
from tuiback.catalog import AccountOverview
from tuiback.connectors.base import Discovered
from tuiback.engine.tenancy.coverage import NEVER_BACKED_UP, find_unprotected
from tuiback.model import Account, AccountKind, AccountState, Task


def there(user: str, reason: str = "") -> Discovered:
    """A user as the directory shows it; one with a reason has no account."""
    object_id = "" if reason else user
    return Discovered(AccountKind.MAILBOX, object_id, user, user.title(), f"{user}@example.com", reason=reason)


def known(user: str, points: int = 3, **facts: Any) -> AccountOverview:
    """An account as the catalog has it."""
    account = Account(f"mailbox:{user}", AccountKind.MAILBOX, "acme", "mail", user, user, f"{user}@example.com")
    return AccountOverview(replace(account, **facts), (), "ok", None, points, 0, 0, 0)


def reasons(discovered: list[Discovered], tasks: list[Task], overviews: list[AccountOverview]) -> dict[str, str]:
    """Why, by address; every group has Bert in it."""
    with_members = [(task, {"bert"} if task.groups else set[str]()) for task in tasks]
    return {row.account: row.reason for row in find_unprotected("acme", discovered, with_members, overviews)}


def test_who_is_backed_up_is_not_listed() -> None:
    """By a task over everything, or one that names the account."""
    named = replace(TASK, name="some", everything=False, accounts=("bert@example.com",))
    assert reasons([there("anna"), there("bert")], [TASK], [known("anna"), known("bert")]) == {}
    assert reasons([there("bert")], [named], [known("bert")]) == {}
    grouped = replace(TASK, everything=False, groups=("sales",))
    both = [known("anna"), known("bert")]
    assert reasons([there("anna"), there("bert")], [grouped], both) == {"anna@example.com": "no task covers it"}


def test_why_others_are_not() -> None:
    """No task, excluded, nothing to back up, nothing backed up yet, gone."""
    named = replace(TASK, everything=False, accounts=("bert@example.com", "dora", "emil"))
    excluding = replace(TASK, name="all", exclude=("carl@example.com", "anna@example.com"), fixed=True)
    gone: dict[str, Any] = {"state": AccountState.GONE, "gone_reason": "left the tenant"}
    overviews = [known("bert"), known("dora", points=0), known("emil", **gone), known("zoe", **gone)]
    discovered = [there("anna"), there("bert"), there("carl"), there("dora"), there("emil"), there("finn"),
                  there("gabi", "has no mailbox")]  # fmt: skip
    assert reasons(discovered, [named, excluding], overviews) == {
        "anna@example.com": "excluded from task all",
        "carl@example.com": "excluded from task all",
        "dora@example.com": NEVER_BACKED_UP,
        "emil@example.com": "left the tenant; what was backed up is kept",
        "finn@example.com": "no task covers it",
        "gabi@example.com": "has no mailbox",
        "zoe@example.com": "left the tenant; what was backed up is kept",
    }


def test_accounts_of_other_tenants_and_services_are_not_missed() -> None:
    """Only those that this discovery could have shown."""
    others = [known("a", tenant="other"), known("b", kind=AccountKind.DRIVE)]
    assert reasons([there("anna")], [TASK], [known("anna"), *others]) == {}
