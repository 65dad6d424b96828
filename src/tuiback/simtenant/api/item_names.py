"""Says which names OneDrive takes.

https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa
"""

import re

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.state.drive import Drive, Node

_FORBIDDEN = re.compile(r'["*:<>?/\\|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i)(\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)$")
_MOST_NAME_CHARACTERS, _MOST_PATH_CHARACTERS = 255, 400


def check_name(drive: Drive, parent: Node, name: str, *, folder: bool) -> None:
    """Refuse a name or path that OneDrive refuses. Raises Fault 400."""
    wrong = (
        not name
        or name != name.strip(" ")
        or name.startswith("~")
        or (folder and name.endswith("."))
        or "_vti_" in name
        or (parent.parent is None and name.lower() == "forms")
        or _FORBIDDEN.search(name) is not None
        or _RESERVED.match(name) is not None
    )
    if wrong:
        raise Fault(400, "invalidRequest", "The provided name cannot contain special characters.", "invalidPath")
    if len(name) > _MOST_NAME_CHARACTERS or len("/".join([*drive.path(parent), name])) > _MOST_PATH_CHARACTERS:
        raise Fault(400, "invalidRequest", "The path is too long.", "pathIsTooLong")


def free_name(drive: Drive, parent: Node, name: str) -> str:
    """The name that conflictBehavior rename gives: the first number that is free before the ending."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    number = 1
    while drive.find_child(parent.serial, f"{stem} {number}{dot}{ending}") is not None:
        number += 1
    return f"{stem} {number}{dot}{ending}"
