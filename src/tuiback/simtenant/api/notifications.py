"""Tells applications that have subscribed what has changed.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.message_json import View, change_key
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.directory_log import DirectoryLog
from tuiback.simtenant.state.subscriptions import Subscription, Watched

# So many notifications travel together.
_TOGETHER = 100
_encode = msgspec.json.Encoder().encode


def log_of(cloud: Cloud, watched: Watched) -> ChangeLog | DirectoryLog:
    """Where the changes of what is followed are noted."""
    tenant = cloud.tenant
    if watched.kind == "message":
        return tenant.mailbox(tenant.company.people[watched.owner]).message_changes
    if watched.kind == "drive":
        owner = tenant.drive_owner(watched.owner)
        return tenant.drive(owner).changes if owner is not None else ChangeLog()
    return tenant.directory.changes if watched.kind == "user" else tenant.groups.changes


def notify(cloud: Cloud) -> None:
    """Send everybody what has changed since they were last told."""
    for each in cloud.subscriptions.present(cloud.clock.now()):
        log = log_of(cloud, each.watched)
        after, each.seen = each.seen, log.latest
        if after >= each.seen:
            continue
        changes = [found for found in _changes(cloud, each, log, after) if found["changeType"] in each.change_types]
        for start in range(0, len(changes), _TOGETHER):
            cloud.postman.send_soon(each.url, _encode({"value": changes[start : start + _TOGETHER]}))


def _changes(
    cloud: Cloud, subscription: Subscription, log: ChangeLog | DirectoryLog, after: int
) -> Iterator[dict[str, Any]]:
    watched = subscription.watched
    common = {
        "subscriptionId": subscription.mark,
        "subscriptionExpirationDateTime": stamp(subscription.expires),
        "clientState": subscription.client_state,
        "tenantId": cloud.plan.tenant_id,
    }
    if watched.kind == "drive":
        # It is only said that something has changed: https://learn.microsoft.com/graph/api/resources/subscription
        data = {"@odata.type": "#Microsoft.Graph.DriveItem"}
        yield common | {"changeType": "updated", "resource": subscription.resource, "resourceData": data}
    elif isinstance(log, DirectoryLog):
        for serial in dict.fromkeys(each.serial for each in log.between(after, log.latest)):
            yield common | _of_object(cloud, watched.kind, serial)
    else:
        yield from (common | each for each in _of_messages(cloud, subscription, log, after))


def _of_object(cloud: Cloud, kind: str, serial: int) -> dict[str, Any]:
    """A user or a group: those are created as "updated", too."""
    if kind == "user":
        account = cloud.tenant.directory.accounts[serial]
        mark, is_here = account.person.object_id, account.is_active
    else:
        group = cloud.tenant.groups.groups[serial]
        mark, is_here = group.object_id, group.deleted is None
    name, resource = kind.capitalize(), f"{kind.capitalize()}s/{mark}"
    data = {"@odata.type": f"#Microsoft.Graph.{name}", "@odata.id": resource, "id": mark}
    return {"changeType": "updated" if is_here else "deleted", "resource": resource, "resourceData": data}


def _of_messages(cloud: Cloud, subscription: Subscription, log: ChangeLog, after: int) -> Iterator[dict[str, Any]]:
    watched = subscription.watched
    person = cloud.tenant.company.people[watched.owner]
    mailbox = cloud.tenant.mailbox(person)
    view = View(cloud.tenant.ids, mailbox, immutable=subscription.immutable)
    for change in log.between(after, log.latest):
        if watched.folder not in (None, change.container):
            continue
        message = mailbox.find(change.serial)
        is_here = message is not None and message.folder == change.container
        mark = view.id_of(change.serial, change.moves)
        resource = f"Users/{person.object_id}/Messages/{mark}"
        version = message.version if message is not None else 0
        data = {
            "@odata.type": "#Microsoft.Graph.Message",
            "@odata.id": resource,
            "@odata.etag": f'W/"{change_key(mailbox.owner, change.serial, version)}"',
            "id": mark,
        }
        kind = ("created" if change.is_new else "updated") if is_here else "deleted"
        yield {"changeType": kind, "resource": resource, "resourceData": data}
