"""The columns of SharePoint lists as Graph's columnDefinitions: those that every list has, and of every kind one.

https://learn.microsoft.com/graph/api/resources/columndefinition
"""

from typing import Any

from tuiback.simtenant.content.words import DEPARTMENTS, PHASES

# Kinds that Graph shows but can't write.
UNWRITABLE = ("hyperlinkOrPicture", "term", "geolocation", "thumbnail")


def column(name: str, *, is_read_only: bool = False, **kind: dict[str, Any]) -> dict[str, Any]:
    """One column; `kind` is its facet."""
    return {
        "name": name, "displayName": name, "description": "", "columnGroup": "Custom Columns",
        "readOnly": is_read_only, "required": False, "hidden": False, "indexed": False, "enforceUniqueValues": False,
        **kind,
    }  # fmt: skip


def title_column() -> dict[str, Any]:
    """What every list begins with."""
    return column("Title", text={"allowMultipleLines": False, "maxLength": 255})


def _person(*, many: bool) -> dict[str, Any]:
    shown = {"chooseFromType": "peopleOnly", "displayAs": "nameWithPresence"}
    return {"allowMultipleSelection": many} | shown


# What SharePoint adds to every list by itself; their ids are the same everywhere.
STANDARD_COLUMNS: tuple[dict[str, Any], ...] = tuple(
    column(name, is_read_only=True, **kind) | {"id": mark, "displayName": title, "columnGroup": "_Hidden"}
    for name, title, mark, kind in (
        ("ID", "ID", "1d22ea11-1e32-424e-89ab-9fedbadb6ce1", {"number": {}}),
        ("ContentType", "Content Type", "c042a256-787d-4a6f-8a8a-cf6ab767f12d", {"text": {}}),
        ("Modified", "Modified", "28cf69c5-fa48-462a-b5cd-27b6f9d2bd5f", {"dateTime": {"format": "dateTime"}}),
        ("Created", "Created", "8c06beca-0777-48f7-91c7-6da68bc07b69", {"dateTime": {"format": "dateTime"}}),
        ("Author", "Created By", "1df5e554-ec7e-46a6-901d-d85a3881cb18", {"personOrGroup": _person(many=False)}),
        ("Editor", "Modified By", "d31655d1-1d5b-4511-95a1-7a09e9b75bf2", {"personOrGroup": _person(many=False)}),
        ("_UIVersionString", "Version", "dce8262a-3ae9-45aa-aab4-83bd75fb738a", {"text": {}}),
        ("Attachments", "Attachments", "67df98f4-9dec-48ff-a553-29bece9c5bf4", {"boolean": {}}),
        ("Edit", "Edit", "503f1caa-358e-4918-9094-4a2cdc4bc034", {"text": {}}),
        ("LinkTitle", "Title", "82642ec8-ef9b-478f-acf9-31f7d45fbc31", {"text": {}}),
        ("DocIcon", "Type", "081c6e4c-5c14-4f20-b23e-1a71ceb6a67c", {"text": {}}),
    )
)


def columns_of_every_kind(projects_list_id: str) -> list[dict[str, Any]]:
    """One column of each kind, of which some hold one value and some several."""
    looked_up = {"listId": projects_list_id, "columnName": "Title"}
    formula = {"format": "dateTime", "formula": "=[Price]*1.19", "outputType": "number"}
    return [
        column("Serial", text={"allowMultipleLines": False, "maxLength": 40}),
        column("Notes", text={"allowMultipleLines": True, "linesForEditing": 6, "textType": "richText"}),
        column("Price", number={"decimalPlaces": "two", "displayAs": "number", "minimum": 0.0}),
        column("Value", currency={"locale": "de-de"}),
        column("Bought", dateTime={"displayAs": "default", "format": "dateOnly"}),
        column("Checked", dateTime={"displayAs": "default", "format": "dateTime"}),
        column("InUse", boolean={}),
        column("Phase", choice={"allowTextEntry": False, "choices": list(PHASES), "displayAs": "dropDownMenu"}),
        column("Tags", choice={"allowTextEntry": True, "choices": list(DEPARTMENTS), "displayAs": "checkBoxes"}),
        column("Owner", personOrGroup=_person(many=False)),
        column("Readers", personOrGroup=_person(many=True)),
        column("Project", lookup=looked_up | {"allowMultipleValues": False}),
        column("Related", lookup=looked_up | {"allowMultipleValues": True}),
        column("Manual", hyperlinkOrPicture={"isPicture": False}),
        column("Photo", thumbnail={}),
        column("Place", geolocation={}),
        column("Area", term={"allowMultipleValues": False, "showFullyQualifiedName": False}),
        column("Areas", term={"allowMultipleValues": True, "showFullyQualifiedName": False}),
        column("Gross", is_read_only=True, calculated=formula),
    ]


def holds_many(given: dict[str, Any]) -> bool:
    """Whether a column takes several values."""
    choice = given.get("choice") or {}
    return bool(
        choice.get("displayAs") == "checkBoxes"
        or (given.get("lookup") or {}).get("allowMultipleValues")
        or (given.get("personOrGroup") or {}).get("allowMultipleSelection")
        or (given.get("term") or {}).get("allowMultipleValues")
    )


def is_looked_up(given: dict[str, Any]) -> bool:
    """Whether a column names rows of a list, or people, by number."""
    return "lookup" in given or "personOrGroup" in given
