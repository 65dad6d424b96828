"""Makes and changes search folders: https://learn.microsoft.com/graph/api/mailsearchfolder-post."""

from collections.abc import Callable
from typing import Any

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.api.filters import parsed
from tuiback.simtenant.api.mail_lookup import folder_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.messages import filtered
from tuiback.simtenant.api.odata import holds
from tuiback.simtenant.state.mailbox import Mailbox, SearchFolder

_CODE = "ErrorInvalidUrlQueryFilter"


def search_maker(view: View, parent: int, given: dict[str, Any]) -> Callable[[int], SearchFolder]:
    """Makes the search folder in a request for the serial that it gets. Raises Fault 400 and 404."""
    sources, query = given.get("sourceFolderIds"), given.get("filterQuery")
    if not sources or not isinstance(query, str) or not query.strip():
        raise Fault(400, "ErrorInvalidRequest", "A search folder needs sourceFolderIds and a filterQuery.")
    serials = _sources(view, sources)
    test, nested = _holder(view, query), bool(given.get("includeNestedFolders"))
    return lambda serial: SearchFolder(
        serial, parent, str(given["displayName"]), sources=serials, nested=nested, query=query, holds=test
    )


def change_search(view: View, folder: SearchFolder, given: dict[str, Any]) -> None:
    """Let a search folder look for something else or elsewhere. Raises Fault 400 and 404."""
    if "sourceFolderIds" in given:
        folder.sources = _sources(view, given["sourceFolderIds"])
    if "filterQuery" in given:
        folder.holds = _holder(view, str(given["filterQuery"]))
        folder.query = str(given["filterQuery"])
    folder.nested = bool(given.get("includeNestedFolders", folder.nested))
    view.mailbox.touch_folder(folder)


def _sources(view: View, names: list[str]) -> tuple[int, ...]:
    return tuple(folder_of(view, str(name)).serial for name in names)


def _holder(view: View, query: str) -> Callable[[Mailbox, int], bool]:
    parsed(query, _CODE)
    ids = view.ids

    def test(mailbox: Mailbox, serial: int) -> bool:
        message = mailbox.find(serial)
        return message is not None and holds(query, filtered(View(ids, mailbox), message))

    return test
