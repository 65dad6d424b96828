"""Lets people come, leave, come back, be renamed and change groups: by order, or as the seed has it."""

from collections.abc import Callable, Mapping
from typing import Any

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.day import Day
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.directory import FURNITURE, AddressTaken
from tuiback.simtenant.state.groups import Group

# How much of everything comes when nothing is said of numbers: one for so many people, but at least one.
_PEOPLE_EACH = {"shared": 10, "rooms": 20, "equipment": 50, "guests": 10, "unlicensed": 50}
_FEWEST_TO_STAY = 2


class WrongOrder(Exception):
    """The order names nobody, nothing, or what can't be done."""


def carry_out(cloud: Cloud, order: Mapping[str, Any]) -> dict[str, Any]:
    """Do what one POST /people says, and tell who it concerns. Raises WrongOrder.

    {leave | purge | restore | unlicense | license | rehire | archive: user}, {rename: user, family, address},
    {hire: address or "", given, family}, {join | part: user, group}, {furnish: {kind: count} or true}.
    """
    if "furnish" in order:
        return _furnish(cloud, order["furnish"])
    action = next((name for name in _ACTIONS if name in order), None)
    if action is None:
        raise WrongOrder(f"one of {', '.join(sorted(_ACTIONS))} or furnish is needed")
    try:
        account = _ACTIONS[action](cloud, str(order[action]), order)
    except AddressTaken as taken:
        raise WrongOrder(f"the address '{taken}' belongs to somebody else") from taken
    return {"id": account.person.object_id, "address": account.person.address, "name": account.person.name}


def _here(cloud: Cloud, name: str) -> Account:
    account = cloud.tenant.directory.find(name)
    if account is None:
        raise WrongOrder(f"there is no user '{name}'")
    return account


def _gone(cloud: Cloud, name: str) -> Account:
    account = cloud.tenant.directory.find_deleted(name)
    if account is None:
        raise WrongOrder(f"there is no deleted user '{name}'")
    return account


def _leave(cloud: Cloud, name: str, _order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    cloud.tenant.directory.leave(account, cloud.clock.now())
    cloud.tenant.groups.note_absence(account)
    return account


def _purge(cloud: Cloud, name: str, _order: Mapping[str, Any]) -> Account:
    account = _gone(cloud, name)
    cloud.tenant.directory.purge(account)
    return account


def _restore(cloud: Cloud, name: str, _order: Mapping[str, Any]) -> Account:
    account = _gone(cloud, name)
    cloud.tenant.directory.restore(account)
    cloud.tenant.groups.note_absence(account)
    return account


def _license(cloud: Cloud, name: str, order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    cloud.tenant.directory.license(account, licensed="license" in order)
    return account


def _archive(cloud: Cloud, name: str, _order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    account.has_archive = True
    return account


def _rename(cloud: Cloud, name: str, order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    family = str(order.get("family", ""))
    local = (family or "renamed").lower().encode("ascii", "ignore").decode() or "renamed"
    directory = cloud.tenant.directory
    first = account.person.address.partition("@")[0].partition(".")[0]
    directory.rename(account, family, str(order.get("address") or directory.free_address(f"{first}.{local}")))
    return account


def _hire(cloud: Cloud, name: str, order: Mapping[str, Any]) -> Account:
    address = name if "@" in name else ""
    given, family = str(order.get("given", "")), str(order.get("family", ""))
    return cloud.tenant.directory.hire(cloud.clock.now(), address, given, family)


def _rehire(cloud: Cloud, name: str, _order: Mapping[str, Any]) -> Account:
    directory = cloud.tenant.directory
    account = directory.find(name)
    if account is not None:
        _leave(cloud, name, {})
    return directory.rehire(account or _gone(cloud, name), cloud.clock.now())


def _join(cloud: Cloud, name: str, order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    cloud.tenant.groups.join(_group(cloud, order), account)
    return account


def _part(cloud: Cloud, name: str, order: Mapping[str, Any]) -> Account:
    account = _here(cloud, name)
    cloud.tenant.groups.part(_group(cloud, order), account)
    return account


def _group(cloud: Cloud, order: Mapping[str, Any]) -> Group:
    wanted = str(order.get("group", ""))
    found = next((each for each in cloud.tenant.groups.groups if wanted in (each.object_id, each.name)), None)
    if found is None:
        raise WrongOrder(f"there is no group '{wanted}'")
    return found


def _furnish(cloud: Cloud, wanted: object) -> dict[str, Any]:
    counts = wanted if isinstance(wanted, dict) else _usual_furniture(cloud)
    for kind, count in counts.items():
        if kind not in FURNITURE or not isinstance(count, int):
            raise WrongOrder(f"furnish takes {', '.join(FURNITURE)} and numbers")
    for kind, count in counts.items():
        cloud.tenant.directory.furnish(kind, count, cloud.clock.now())
    return dict(counts)


def _usual_furniture(cloud: Cloud) -> dict[str, int]:
    return {kind: max(cloud.plan.users // each, 1) for kind, each in _PEOPLE_EACH.items()}


_ACTIONS: dict[str, Callable[[Cloud, str, Mapping[str, Any]], Account]] = {
    "leave": _leave, "purge": _purge, "restore": _restore, "license": _license, "unlicense": _license,
    "archive": _archive, "rename": _rename, "hire": _hire, "rehire": _rehire, "join": _join, "part": _part,
}  # fmt: skip


def _somebody_leaves(day: Day) -> bool:
    people = day.cloud.tenant.directory.people()
    if len(people) <= _FEWEST_TO_STAY:
        return False
    _leave(day.cloud, day.luck.choice(people).person.object_id, {})
    return True


def _somebody_comes(day: Day) -> bool:
    day.cloud.tenant.directory.hire(day.now)
    return True


def _somebody_comes_back(day: Day) -> bool:
    gone = list(day.cloud.tenant.directory.deleted())
    if not gone:
        return False
    account = day.luck.choice(gone)
    try:
        if day.luck.random() < 0.5:
            _restore(day.cloud, account.person.object_id, {})
        else:
            day.cloud.tenant.directory.rehire(account, day.now)
    except AddressTaken:
        return False
    return True


def _somebody_marries(day: Day) -> bool:
    account = day.luck.choice(day.cloud.tenant.directory.people())
    family = day.luck.choice(account.person.language.family)[0]
    _rename(day.cloud, account.person.object_id, {"family": family})
    return True


def _somebody_loses_licence(day: Day) -> bool:
    directory = day.cloud.tenant.directory
    unlicensed = [each for each in directory.users() if each.has_drive and not each.is_licensed]
    if unlicensed:
        directory.license(unlicensed[0], licensed=True)
        return True
    people = directory.people()
    if len(people) <= _FEWEST_TO_STAY:
        return False
    directory.license(day.luck.choice(people), licensed=False)
    return True


def _somebody_changes_group(day: Day) -> bool:
    account = day.luck.choice(day.cloud.tenant.directory.people())
    groups = day.cloud.tenant.groups
    group = day.luck.choice(groups.present())
    if ("user", account.index) in group.members:
        groups.part(group, account)
    else:
        groups.join(group, account)
    return True


PEOPLE_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("leave", _somebody_leaves), ("hire", _somebody_comes), ("come_back", _somebody_comes_back),
    ("rename", _somebody_marries), ("license", _somebody_loses_licence), ("regroup", _somebody_changes_group),
)  # fmt: skip
