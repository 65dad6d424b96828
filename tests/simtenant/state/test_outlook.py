"""What people have beside their mail is drawn when it is asked for, and kept once it is changed."""

from datetime import UTC, datetime

from tuiback.simtenant import Plan
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.contacts import CONTACTS
from tuiback.simtenant.state.tenant import Tenant

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PEOPLE = 90


def test_only_what_was_changed_is_kept() -> None:
    """After everybody's contacts were looked at, a new contact is still there, and memory holds few of the others."""
    tenant = Tenant(Plan(users=PEOPLE, messages=4, files_per_user=1))
    assert tenant.outlook.held_count == 0
    people = tenant.company.people
    first = tenant.outlook.contacts(people[0])
    drawn = [record.properties for record in tenant.outlook.contacts(people[1]).records.values()]
    made = first.add(CONTACTS, NOW, {"surname": "New"})
    for person in people:
        assert tenant.outlook.contacts(person).owner == person.index
    assert tenant.outlook.held_count < PEOPLE
    assert tenant.outlook.contacts(people[0]).records[made.serial] is made
    assert [record.properties for record in tenant.outlook.contacts(people[1]).records.values()] == drawn


def test_a_drawer_goes_with_all_that_lies_in_it() -> None:
    """Its drawers and their records too, each change noted in its place."""
    tenant = Tenant(Plan(users=1, messages=4, files_per_user=1))
    cabinet = tenant.outlook.contacts(tenant.company.people[0])
    outer = cabinet.add_drawer(CONTACTS, "Outer")
    inner = cabinet.add_drawer(outer.serial, "Inner")
    record = cabinet.add(inner.serial, NOW, {})
    before = len(cabinet.records)
    cabinet.delete_drawer(outer)
    assert (inner.serial in cabinet.drawers, record.serial in cabinet.records) == (False, False)
    assert len(cabinet.records) == before - 1
    assert [(each.container, each.serial) for each in cabinet.record_changes.between(1, 9)] == [
        (inner.serial, record.serial)]  # fmt: skip


def test_rules_in_force_decide_in_their_order() -> None:
    """The last rule that is met ends it; what is switched off or has an unknown condition does nothing."""
    tenant = Tenant(Plan(users=1, messages=4, files_per_user=1))
    preferences = tenant.outlook.preferences(tenant.company.people[0])
    author = {"emailAddress": {"name": "A", "address": "a@x.example"}}
    mail = WrittenMail({"subject": "Hello", "from": author}, NOW, NOW)
    sender = {"fromAddresses": [{"emailAddress": {"address": "A@x.example"}}]}
    preferences.rules = {
        1: {"sequence": 3, "conditions": sender, "actions": {"markAsRead": True}},
        2: {"sequence": 2, "conditions": sender, "actions": {"assignCategories": ["x"], "stopProcessingRules": True}},
        3: {"sequence": 1, "isEnabled": False, "conditions": {}, "actions": {"delete": True}},
        4: {"sequence": 0, "conditions": {"isVoicemail": True}, "actions": {"delete": True}},
    }
    verdict = preferences.verdict(mail)
    assert (verdict.categories, verdict.is_read, verdict.is_deleted, verdict.folder) == (("x",), False, False, None)
