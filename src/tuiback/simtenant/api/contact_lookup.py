"""Finds the contacts and folders that a URL names, and shows them as Graph's resources."""

from dataclasses import dataclass
from typing import Any

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.contact_json import contact_json
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.ids import Reference
from tuiback.simtenant.state.cabinet import Cabinet, Drawer, Record
from tuiback.simtenant.state.contacts import CONTACTS
from tuiback.simtenant.state.mailbox import ROOT

# The well-known name of the folder that everybody has.
_KNOWN = "contacts"


@dataclass(frozen=True, slots=True)
class ContactView:
    """How a request sees the contacts of a mailbox. Immutable ids differ from regular ones; contacts don't move."""

    cloud: Cloud
    cabinet: Cabinet
    immutable: bool

    def folder_id(self, serial: int) -> str:
        """A folder's id."""
        return self.cloud.tenant.ids.encode("contactFolder", self.cabinet.owner, serial)

    def contact_id(self, serial: int) -> str:
        """A contact's id in the form that the request asked for."""
        return self.cloud.tenant.ids.encode("contact", self.cabinet.owner, serial, int(self.immutable))

    def folder_json(self, drawer: Drawer) -> dict[str, Any]:
        """A contactFolder."""
        ids, owner = self.cloud.tenant.ids, self.cabinet.owner
        parent = ids.encode("folder", owner, ROOT) if drawer.parent is None else self.folder_id(drawer.parent)
        return {"id": self.folder_id(drawer.serial), "parentFolderId": parent, "displayName": drawer.name}

    def contact_json(self, record: Record, expand: str = "") -> dict[str, Any]:
        """A contact, with what `expand` asks for."""
        names = {"id": self.contact_id(record.serial), "parentFolderId": self.folder_id(record.drawer)}
        return contact_json(self.cabinet.owner, record, expand) | names


def contact_view_of(cloud: Cloud, call: Call) -> ContactView:
    """The contacts of the URL's user, seen as the request asks. Raises Fault 404."""
    cabinet = cloud.tenant.outlook.contacts(mailbox_owner_of(cloud, call).person)
    return ContactView(cloud, cabinet, call.preferences.get("idtype", "").lower() == "immutableid")


def _named(view: ContactView, text: str, kind: str) -> Reference:
    """Raises Fault 400 and 404."""
    reference = view.cloud.tenant.ids.find(text)
    if reference is None or reference.kind != kind:
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if reference.owner != view.cabinet.owner:
        raise _not_found()
    return reference


def contact_folder_of(view: ContactView, call: Call) -> Drawer:
    """The folder that the URL names, else the one that everybody has. Raises Fault 400 and 404."""
    name = call.where.get("child") or call.where.get("folder", _KNOWN)
    if name.lower() == _KNOWN:
        return view.cabinet.drawers[CONTACTS]
    drawer = view.cabinet.drawers.get(_named(view, name, "contactFolder").serial)
    if drawer is None:
        raise _not_found()
    return drawer


def contact_of(view: ContactView, call: Call) -> Record:
    """The contact that the URL names, in its folder where it names one. Raises Fault 400 and 404."""
    record = view.cabinet.records.get(_named(view, call.where["contact"], "contact").serial)
    if record is None or ("folder" in call.where and record.drawer != contact_folder_of(view, call).serial):
        raise _not_found()
    return record


def _not_found() -> Fault:
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
