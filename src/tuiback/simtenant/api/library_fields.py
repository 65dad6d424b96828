"""Writes what stands beside a file in the columns of its library, and the file's name, which is one of them.

https://learn.microsoft.com/graph/api/listitem-update
"""

from typing import Any

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.api.libraries import library_of, with_rows
from tuiback.simtenant.api.list_fields import written_fields
from tuiback.simtenant.api.list_json import ListView, bad_request
from tuiback.simtenant.state.drive import NameTaken
from tuiback.simtenant.state.lists import Item


def written_file(view: ListView, item: Item, given: dict[str, Any]) -> Item:
    """The row of the file as it is afterwards. Raises Fault 400 and 409."""
    library = library_of(view.cloud, view.site, view.held)
    if library is None:
        raise bad_request("Only files have such fields.")
    drive = view.cloud.tenant.drive(library)
    node, fields = drive.nodes[item.number], written_fields(view, given)
    name = str(fields.pop("FileLeafRef", node.name))
    if name != node.name and node.parent is not None:
        try:
            drive.place(node, node.parent, name)
        except NameTaken as taken:
            raise Fault(409, "nameAlreadyExists", f"A file named '{name}' is there already.") from taken
    if fields:
        node.fields = (node.fields or {}) | fields
        drive.touch(node)
    return with_rows(view.cloud, view.site, view.held).items[item.number]
