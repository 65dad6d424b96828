"""Chooses and orders the rows of a list as $filter and $orderby ask.

https://learn.microsoft.com/graph/api/listitem-list
"""

import re
from collections.abc import Mapping
from typing import Any

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.api.filters import Object, filter_of
from tuiback.simtenant.api.list_json import ListView, bad_request, fields_json, row_json
from tuiback.simtenant.content.list_columns import STANDARD_COLUMNS
from tuiback.simtenant.state.lists import Item

_FIELD = re.compile(r"\bfields/(\w+)")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_ORDER = re.compile(r"fields/(\w+)(?:\s+(asc|desc))?", re.IGNORECASE)
_UNINDEXED = "honornonindexedquerieswarningmayfailrandomly"
_LOOKUP = "LookupId"
# With so many rows a list answers by its indexes only.
_THRESHOLD = 5000


def chosen_rows(view: ListView) -> list[Item]:
    """The rows that pass, in their order. Raises Fault 400."""
    text, order = view.call.query.get("$filter", ""), view.call.query.get("$orderby", "")
    rows = list(view.held.items.values())
    if not text.strip() and not order.strip():
        return rows
    _check_indexed(view, [*_FIELD.findall(_TEXT.sub("''", text)), *_FIELD.findall(order)])
    test = filter_of(view.call, "invalidRequest")
    found = [each for each in rows if test(_shown(view, each))]
    wanted = _ORDER.fullmatch(order.strip())
    if order.strip() and wanted is None:
        raise bad_request(f"The order '{order}' is not supported.")
    if wanted is not None:
        found.sort(key=lambda each: _sortable(fields_json(view.held, each).get(wanted[1])))
        if (wanted[2] or "").lower() == "desc":
            found.reverse()
    return found


def _shown(view: ListView, item: Item) -> Object:
    """A row as a filter sees it: numbers of rows and people are numbers."""
    fields = {name: _number(name, value) for name, value in fields_json(view.held, item).items()}
    return row_json(view, item) | {"fields": fields}


def _number(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    return int(value) if name.endswith(_LOOKUP) and isinstance(value, str) and value.isdigit() else value


def _sortable(value: object) -> tuple[int, float, str]:
    """Nothing comes first, then numbers, then texts."""
    if value is None:
        return 0, 0.0, ""
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, str(value).lower())


def _check_indexed(view: ListView, names: list[str]) -> None:
    """Columns without an index are for who says so, and for lists that are not long. Raises Fault 400.

    https://learn.microsoft.com/sharepoint/troubleshoot/lists-and-libraries/items-exceeds-list-view-threshold
    """
    columns: dict[str, Mapping[str, Any]] = {each["name"]: each for each in (*STANDARD_COLUMNS, *view.held.columns)}
    for name in names:
        column = columns.get(name.removesuffix(_LOOKUP)) or columns.get(name)
        if column is None and name != "id":
            raise bad_request(f"Field '{name}' is not recognized")
        if name in ("id", "ID") or (column or {}).get("indexed"):
            continue
        if _UNINDEXED not in view.call.preferences:
            text = (
                f"Field '{name}' cannot be referenced in filter or orderby as it is not indexed. Provide the 'Prefer: "
                "HonorNonIndexedQueriesWarningMayFailRandomly' header to allow this, but be warned that such queries "
                "may fail on large lists."
            )
            raise bad_request(text)
        if len(view.held.items) > _THRESHOLD:
            text = "The attempted operation is prohibited because it exceeds the list view threshold."
            raise Fault(400, "notSupported", text)
