"""Which permissions each service needs, and what is lost without them."""

from tuiback.engine.tenancy.permissions import SERVICES, Weight, impossible, is_granted, permissions_of, wanted
from tuiback.simtenant.content.app_roles import APP_ROLE_IDS


def test_every_permission_is_known_to_graph() -> None:
    """No name is misspelt: the simulated tenant has the published ids of each."""
    named = {each.name for service in SERVICES for each in permissions_of(service)}
    assert named <= APP_ROLE_IDS.keys()


def test_backup_asks_for_nothing_that_writes() -> None:
    """Only with the restore set may an app change anything."""
    for service in SERVICES:
        assert not [name for name in wanted([service], restore=False) if "Write" in name or "Create" in name]
    assert {"Mail.ReadWrite", "Files.ReadWrite.All"} <= set(wanted(["exchange", "onedrive"], restore=True))


def test_the_sets_join_without_repeating() -> None:
    """What two services need is asked for once."""
    names = wanted(["exchange", "onedrive"], restore=False)
    assert names.count("User.Read.All") == 1
    assert {"Mail.Read", "MailboxItem.Export.All", "Files.Read.All"} <= set(names)


def test_a_greater_permission_holds_the_lesser() -> None:
    """Who may write may read; who may read the directory may read its users."""
    assert is_granted("Mail.Read", {"Mail.ReadWrite"})
    assert is_granted("User.Read.All", {"Directory.Read.All"})
    assert not is_granted("Mail.ReadWrite", {"Mail.Read"})


def test_impossible_services() -> None:
    """A service can't be backed up without what finds its accounts, or what reads its main content."""
    least = {"User.Read.All", "Mail.Read"}
    assert impossible(["exchange", "onedrive"], least) == ("onedrive",)
    assert impossible(["exchange"], {"Mail.Read"}) == ("exchange",)
    assert {each.weight for each in permissions_of("exchange")} == set(Weight)
