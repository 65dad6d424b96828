"""What a check says of an app's permissions."""

import pytest

from tuiback.engine.tenancy.permissions import wanted
from tuiback.engine.tenancy.tenant_checks import check_fields, permission_rows, refusal_of_waiting
from tuiback.model import Consent, Tenant

TENANT = Tenant("acme", "t", "c", "global", "https://g", "https://a/t", "secret", b"", consent=Consent.WAITING)
KNOWN = ("exchange", "onedrive")


@pytest.mark.parametrize(
    ("roles", "services", "ok", "impossible"),
    [
        (wanted(KNOWN, restore=False), KNOWN, True, []),
        (("User.Read.All", "Mail.Read"), ("exchange",), True, []),
        (("User.Read.All", "Mail.Read"), KNOWN, False, ["onedrive"]),
        (("User.Read.All", "Mail.Read"), (), True, ["onedrive"]),
        ((), (), False, ["exchange", "onedrive"]),
        (("Mail.Read",), ("exchange",), False, ["exchange"]),
        (("Directory.Read.All", "Mail.ReadWrite"), ("exchange",), True, []),
    ],
)
def test_what_can_be_backed_up(
    roles: tuple[str, ...], services: tuple[str, ...], ok: bool, impossible: list[str]
) -> None:
    """It is ok when all that tasks back up can be; without tasks, when anything can."""
    fields = check_fields(TENANT, frozenset(roles), services, KNOWN, 0.0)
    assert (fields["ok"], fields["impossible"]) == (ok, impossible)


def test_a_permission_of_several_services_is_told_once() -> None:
    """With all that is lost without it."""
    (row,) = [row for row in permission_rows(["Mail.Read"]) if row["name"] == "User.Read.All"]
    assert row == {
        "name": "User.Read.All", "granted": False, "kind": "backup", "weight": "backup",
        "needed_for": "exchange backup: finding the mailboxes; onedrive backup: finding the drives",
        "services": ["exchange", "onedrive"],
    }  # fmt: skip


def test_the_worst_that_its_lack_means_is_its_weight() -> None:
    """Files of channels are a part of Teams, but all of OneDrive."""
    (row,) = [row for row in permission_rows([]) if row["name"] == "Files.Read.All"]
    assert row["weight"] == "backup"


def test_who_waits_is_told_where_to_consent() -> None:
    """The refusal leads to Microsoft's page."""
    assert str(refusal_of_waiting(TENANT)) == (
        "acme: waiting for consent; let an administrator open https://a/t/v2.0/adminconsent?client_id=c"
        "&scope=https%3A%2F%2Fg%2F.default&redirect_uri=http%3A%2F%2Flocalhost"
    )
