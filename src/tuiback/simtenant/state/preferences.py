"""Holds how somebody has set up the mailbox: settings, rules for what arrives, categories, configurations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.mail import Mail
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import OUTSIDE
from tuiback.simtenant.state.mailbox import ARCHIVE, FIRST_WRITTEN, ROOT

_COLOURS = ("Red", "Orange", "Yellow", "Green", "Blue", "Purple")
# Outlook counts its colours so: https://learn.microsoft.com/graph/api/resources/outlookcategory
_PRESETS = ("preset0", "preset1", "preset3", "preset4", "preset7", "preset8")
_ONE_IN_IS_AWAY = 4
_OPTIONS = "OWA.UserOptions"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What rules make of a message that arrives: the id or the number of a folder (None: the Inbox), and so on."""

    folder: int | str | None = None
    is_read: bool = False
    is_deleted: bool = False
    categories: tuple[str, ...] = ()


class Preferences:
    """The set-up of one mailbox. Rules and categories go by id, configurations by folder and name."""

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self.settings: dict[str, Any] = {}
        self.rules: dict[int, dict[str, Any]] = {}
        self.categories: dict[str, dict[str, Any]] = {}
        self.configurations: dict[tuple[int, str], dict[str, Any]] = {}
        self._written = 0

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self._written)

    def note(self) -> int:
        """Say that something is written; gives a number that nothing here has had."""
        self._written += 1
        return FIRST_WRITTEN + self._written

    def verdict(self, mail: Mail) -> Verdict:
        """What the rules in force make of a message, one after the other until one of them is the last."""
        found = Verdict()
        for rule in sorted(self.rules.values(), key=lambda each: int(each.get("sequence", 0))):
            is_meant = rule.get("isEnabled", True) and _all_met(rule.get("conditions") or {}, mail)
            if not is_meant or (rule.get("exceptions") and _all_met(rule["exceptions"], mail)):
                continue
            actions = rule.get("actions") or {}
            found = Verdict(
                actions.get("moveToFolder", found.folder),
                found.is_read or bool(actions.get("markAsRead")),
                found.is_deleted or bool(actions.get("delete") or actions.get("permanentDelete")),
                (*found.categories, *actions.get("assignCategories", ())),
            )
            if actions.get("stopProcessingRules"):
                break
        return found


def _all_met(conditions: Mapping[str, Any], mail: Mail) -> bool:
    """Conditions that are not known here are never met."""
    return all(name in _CONDITIONS and _CONDITIONS[name](mail, wanted) for name, wanted in conditions.items())


def _contains(text: str, wanted: list[str]) -> bool:
    return any(each.lower() in text.lower() for each in wanted)


def _author(mail: Mail) -> str:
    author = mail.head.author
    return f"{author.name} <{author.address}>" if author is not None else ""


def _recipients(mail: Mail) -> str:
    return " ".join(f"{each.name} <{each.address}>" for each in (*mail.head.to, *mail.head.cc))


def _from_addresses(mail: Mail, wanted: list[dict[str, Any]]) -> bool:
    addresses = {str((each.get("emailAddress") or {}).get("address", "")).lower() for each in wanted}
    return mail.head.author is not None and mail.head.author.address.lower() in addresses


# https://learn.microsoft.com/graph/api/resources/messagerulepredicates
_CONDITIONS: dict[str, Callable[[Mail, Any], bool]] = {
    "subjectContains": lambda mail, wanted: _contains(mail.head.subject, wanted),
    "bodyContains": lambda mail, wanted: _contains(mail.body.content, wanted),
    "bodyOrSubjectContains": lambda mail, wanted: _contains(f"{mail.head.subject} {mail.body.content}", wanted),
    "senderContains": lambda mail, wanted: _contains(_author(mail), wanted),
    "recipientContains": lambda mail, wanted: _contains(_recipients(mail), wanted),
    "fromAddresses": _from_addresses,
    "hasAttachments": lambda mail, wanted: any(not each.is_inline for each in mail.attachments) == wanted,
    "importance": lambda mail, wanted: mail.head.importance == wanted,
}


def drawn_preferences(person: Person, chance: Chance, people: int) -> Preferences:
    """The set-up of a mailbox: Outlook's own categories, and of one of the first `people` the person's own choice."""
    made = Preferences(person.index)
    for colour, preset in zip(_COLOURS, _PRESETS, strict=True):
        guid = str(chance.guid("category", person.index, colour))
        made.categories[guid] = {"displayName": f"{colour} category", "color": preset}
    made.configurations[ROOT, _OPTIONS] = {"structuredData": [_option("timezone", "W. Europe Standard Time")]}
    if person.index >= people:
        return made
    guid = str(chance.guid("category", person.index, "project"))
    made.categories[guid] = {"displayName": "Project", "color": f"preset{chance.below(25, 'colour', person.index)}"}
    sender = chance.pick(OUTSIDE, "rule", person.index)
    made.rules = {
        1: {
            "displayName": f"From {sender[0]}", "sequence": 1, "isEnabled": True,
            "conditions": {"senderContains": [sender[1]]},
            "actions": {"moveToFolder": ARCHIVE, "stopProcessingRules": True},
        },
        2: {
            "displayName": "Urgent", "sequence": 2, "isEnabled": person.index % 3 > 0,
            "conditions": {"importance": "high"}, "actions": {"assignCategories": ["Red category"]},
        },
    }  # fmt: skip
    if person.index % _ONE_IN_IS_AWAY == _ONE_IN_IS_AWAY - 1:
        text = paragraph(chance, person.language, 120, "away", person.index)
        made.settings["automaticRepliesSetting"] = {
            "status": "alwaysEnabled", "externalAudience": "contactsOnly",
            "internalReplyMessage": text, "externalReplyMessage": text,
        }  # fmt: skip
    return made


def _option(name: str, value: str) -> dict[str, Any]:
    return {"keyEntry": {"type": "string", "values": [name]}, "valueEntry": {"type": "string", "values": [value]}}
