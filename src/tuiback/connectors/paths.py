"""Builds request paths of Microsoft Graph out of ids and names that may hold any character."""

from urllib.parse import quote


def path(*segments: str) -> str:
    """`path("users", user_id, "drive")` is "/users/<user_id>/drive", each segment encoded on its own.

    Drive ids keep their "!", item ids their "=" and $value its "$", as Graph writes them itself.
    """
    return "".join("/" + quote(segment, safe="!=$") for segment in segments)


def named_child(parent: str, name: str) -> str:
    """The path of the item called `name` in the folder at path `parent`; follow it with ":/content" or the like.

    Colons delimit the name (https://learn.microsoft.com/graph/onedrive-addressing-driveitems).
    """
    return f"{parent}:/{quote(name, safe='')}"
