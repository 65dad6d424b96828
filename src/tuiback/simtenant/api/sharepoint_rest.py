"""Answers SharePoint's own REST interface, as far as Graph lacks something: what hangs on rows, and what a site is.

https://learn.microsoft.com/sharepoint/dev/sp-add-ins/working-with-folders-and-files-with-rest
It takes tokens of its own audience, of applications only where they signed in with a certificate:
https://learn.microsoft.com/sharepoint/dev/solution-guidance/security-apponly-azuread
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.rest_updates import WrongUpdate, validated_update
from tuiback.simtenant.content.company import Person, Site
from tuiback.simtenant.state.lists import Item, SiteList

_MARK = "/_api/"
_READ = frozenset({"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"})
_WRITE = _READ - {"Sites.Read.All"}
_NAME = r"'((?:[^']|'')*)'"
_LIST = rf"web/lists(?:/getbytitle\({_NAME}\)|\(guid'([^']*)'\))"
_ITEM = _LIST + r"/(?:items|getitembyid)\((\d+)\)"
_FILES = _ITEM + "/AttachmentFiles"
_FILE = _FILES + rf"(?:/getbyfilename)?\({_NAME}\)"
_TEMPLATES = {"standard": ("GROUP", 0), "private": ("TEAMCHANNEL", 0), "shared": ("TEAMCHANNEL", 1)}


class _Refusal(Exception):
    """What the interface says no with: a status, a code and a text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class _Scene:
    """One request: whose site, which row of which list, and the name of a file where there is one."""

    cloud: Cloud
    call: Call
    owner: Person
    groups: tuple[str, ...]

    def row(self) -> tuple[SiteList, Item]:
        """The row that the address names."""
        title, mark, number = (self.groups[0] or "").replace("''", "'"), self.groups[1] or "", self.groups[2]
        lists = self.cloud.tenant.sites.lists(self.owner) if isinstance(self.owner, Site) else []
        held = next((each for each in lists if each.name == title or each.list_id == mark.lower()), None)
        item = held.items.get(int(number)) if held is not None else None
        if held is None or item is None:
            raise _Refusal(404, "-2147024894, System.IO.FileNotFoundException", "The item does not exist.")
        return held, item

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.groups[3].replace("''", "'")


def is_rest(call: Call) -> bool:
    """Whether the request is one for this interface."""
    return _MARK in call.path


def resolve_rest(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The template of the URL and what answers it."""
    path = unquote(call.path)
    before, _, asked = path.partition(_MARK)
    for method, pattern, template, roles, answer in _ROUTES:
        found = re.fullmatch(pattern, asked.rstrip("/"), re.IGNORECASE)
        if found is not None and method == _method(call):
            groups = tuple(each or "" for each in found.groups())
            return _MARK + template, partial(_answered, cloud, call, before, groups, roles, answer)
    return _MARK, lambda: _refused(_Refusal(404, "-1, ResourceNotFound", f"Cannot find resource {asked}."))


def _method(call: Call) -> str:
    return call.headers.get("x-http-method", call.method).upper()


def _answered(
    cloud: Cloud, call: Call, path: str, groups: tuple[str, ...], roles: frozenset[str],
    answer: Callable[[_Scene], Reply],
) -> Reply:  # fmt: skip
    try:
        owner = _owner(cloud, path)
        _check_bearer(cloud, call, owner, roles)
        return answer(_Scene(cloud, call, owner, groups))
    except _Refusal as refusal:
        return _refused(refusal)


def _check_bearer(cloud: Cloud, call: Call, owner: Person, roles: frozenset[str]) -> None:
    """Let pass who may do this. Raises _Refusal."""
    bearer = cloud.signin.tokens.find_for(call.headers.get("authorization", ""), owner.host)
    if bearer is None:
        raise _Refusal(401, "-2147024891", "Invalid issuer or signature, or another audience.")
    if not bearer.by_certificate:
        raise _Refusal(401, "-2147024891", "Unsupported app only token.")
    if not roles & bearer.permissions:
        raise _Refusal(403, "-2147024891, System.UnauthorizedAccessException", "Access denied.")


def _refused(refusal: _Refusal) -> Reply:
    if refusal.status == 401:
        return json_reply({"error_description": refusal.text}, 401, {"WWW-Authenticate": "Bearer"})
    text = {"lang": "en-US", "value": refusal.text}
    return json_reply({"odata.error": {"code": refusal.code, "message": text}}, refusal.status)


def _owner(cloud: Cloud, path: str) -> Person:
    """Whose site has this path."""
    people = (each.person for each in cloud.tenant.directory.users() if each.has_drive)
    owners = people if path.startswith("/personal/") else cloud.tenant.sites.all()
    owner = next((each for each in owners if each.site_path.lower() == path.lower()), None)
    if owner is None:
        raise _Refusal(404, "-1, NotFound", "404 FILE NOT FOUND")
    return owner


def _shown(call: Call, document: dict[str, Any]) -> Reply:
    return json_reply({"d": document} if "odata=verbose" in call.headers.get("accept", "") else document)


def _listed(call: Call, rows: list[dict[str, Any]]) -> Reply:
    is_verbose = "odata=verbose" in call.headers.get("accept", "")
    return json_reply({"d": {"results": rows}} if is_verbose else {"value": rows})


def _context(scene: _Scene) -> Reply:
    """What a form would have to carry; who comes with a token needs none of it, but clients ask first.

    https://learn.microsoft.com/sharepoint/dev/sp-add-ins/complete-basic-operations-using-sharepoint-rest-endpoints
    """
    url = scene.owner.host + scene.owner.site_path
    mark = scene.cloud.tenant.chance.digest(32, "digest", scene.owner.index).hex().upper()
    document = {
        "FormDigestTimeoutSeconds": 1800,
        "FormDigestValue": f"0x{mark},{scene.cloud.clock.now():%d %b %Y %H:%M:%S} -0000",
        "SiteFullUrl": url,
        "WebFullUrl": url,
    }
    is_verbose = "odata=verbose" in scene.call.headers.get("accept", "")
    return _shown(scene.call, {"GetContextWebInformation": document} if is_verbose else document)


def _web(scene: _Scene) -> Reply:
    """Of what kind the site is, which Graph does not tell."""
    template, configuration = _template(scene.cloud, scene.owner)
    document = {
        "Id": str(scene.owner.drive_guids[1]),
        "Title": scene.owner.name,
        "Url": scene.owner.host + scene.owner.site_path,
        "ServerRelativeUrl": scene.owner.site_path or "/",
        "WebTemplate": template,
        "Configuration": configuration,
    }
    names = scene.call.query.get("$select")
    wanted = set(names.split(",")) if names else set(document)
    return _shown(scene.call, {name: value for name, value in document.items() if name in wanted})


def _template(cloud: Cloud, owner: Person) -> tuple[str, int]:
    if not isinstance(owner, Site):
        return "SPSPERS", 10
    for team in cloud.tenant.teams.all():
        for channel in team.channels:
            if cloud.tenant.sites.of_channel(team, channel) is owner:
                return _TEMPLATES[channel.kind]
    return "SITEPAGEPUBLISHING", 0


def _file_json(scene: _Scene, held: SiteList, item: Item, name: str) -> dict[str, Any]:
    place = f"{scene.owner.site_path}/Lists/{held.name}/Attachments/{item.number}/{name}"
    return {
        "FileName": name,
        "FileNameAsPath": {"DecodedUrl": name},
        "ServerRelativePath": {"DecodedUrl": place},
        "ServerRelativeUrl": place,
    }


def _list_files(scene: _Scene) -> Reply:
    held, item = scene.row()
    return _listed(scene.call, [_file_json(scene, held, item, name) for name in item.attachments])


def _get_file(scene: _Scene) -> Reply:
    held, item = scene.row()
    _content(item, scene.name)
    return _shown(scene.call, _file_json(scene, held, item, scene.name))


def _get_content(scene: _Scene) -> Reply:
    _, item = scene.row()
    return _downloaded(item, scene.name)


def _get_by_path(scene: _Scene) -> Reply:
    """The same by the path that a file on a row tells of itself."""
    found = re.fullmatch(r".*/Lists/([^/]+)/Attachments/(\d+)/([^/]+)", scene.groups[0].replace("''", "'"))
    if found is None:
        raise _Refusal(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")
    name, number, file = found.groups()
    _, item = replace(scene, groups=(name.replace("'", "''"), "", number)).row()
    return _downloaded(item, file)


def _downloaded(item: Item, name: str) -> Reply:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Reply(200, _content(item, name), "application/octet-stream", headers)


def _content(item: Item, name: str) -> bytes:
    if name not in item.attachments:
        raise _Refusal(404, "-2147024894, System.IO.FileNotFoundException", f"The file '{name}' does not exist.")
    return item.attachments[name]


def _add_file(scene: _Scene) -> Reply:
    held, item = scene.row()
    if scene.name in item.attachments:
        raise _Refusal(400, "-2130575257, Microsoft.SharePoint.SPException", "The specified name is already in use.")
    held.attach(item, scene.name, scene.call.body)
    return _shown(scene.call, _file_json(scene, held, item, scene.name))


def _delete_file(scene: _Scene) -> Reply:
    held, item = scene.row()
    _content(item, scene.name)
    held.attach(item, scene.name, None)
    return Reply(200)


def _update(scene: _Scene) -> Reply:
    """Writes who made a row and when, which Graph can't."""
    held, item = scene.row()
    try:
        written = validated_update(scene.cloud, held, item, scene.call.json())
    except WrongUpdate as wrong:
        raise _Refusal(400, "-2147024809, System.ArgumentException", str(wrong)) from wrong
    is_verbose = "odata=verbose" in scene.call.headers.get("accept", "")
    named = {"ValidateUpdateListItem": {"results": written}} if is_verbose else {"value": written}
    return _shown(scene.call, named)


_ROUTES: tuple[tuple[str, str, str, frozenset[str], Callable[[_Scene], Reply]], ...] = (
    ("POST", "contextinfo", "contextinfo", _READ, _context),
    ("GET", "web", "web", _READ, _web),
    ("GET", _FILES, "web/lists/items/AttachmentFiles", _READ, _list_files),
    ("GET", _FILE, "web/lists/items/AttachmentFile", _READ, _get_file),
    ("GET", _FILE + r"/\$value", "web/lists/items/AttachmentFiles/$value", _READ, _get_content),
    ("GET", rf"web/getfilebyserverrelativepath\(decodedurl={_NAME}\)/\$value", "web/file/$value", _READ, _get_by_path),
    ("POST", _FILES + rf"/add\(FileName={_NAME}\)", "web/lists/items/AttachmentFiles/add", _WRITE, _add_file),
    ("DELETE", _FILE, "web/lists/items/AttachmentFiles", _WRITE, _delete_file),
    ("POST", _ITEM + "/ValidateUpdateListItem(?:\\(\\))?", "web/lists/items/ValidateUpdateListItem", _WRITE, _update),
)
