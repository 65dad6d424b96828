"""Turns the longer ways to a site and to a drive into the plain one, so that every route behind them is there.

Sites may be named by host and path before what is asked of them (`/sites/host:/sites/x:/lists`), and drives lie behind
whose they are: https://learn.microsoft.com/graph/api/resources/sharepoint, .../api/drive-get
"""

import re
from urllib.parse import unquote

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.libraries import library_of, lists_of
from tuiback.simtenant.content.company import Person, Site

_ADDRESS = re.compile(r"/sites/(?P<host>[^/:]+):/(?P<path>[^:]+):(?P<rest>/.+)", re.IGNORECASE)
_OWNED = re.compile(
    r"/(?P<kind>sites|groups|users)/(?P<owner>[^/:]+)/drives/(?P<drive>[^/:]+)(?P<rest>.*)", re.IGNORECASE
)
_OF_LIST = re.compile(r"/sites/(?P<site>[^/:]+)/lists/(?P<list>[^/:]+)/drive(?P<rest>/.+)", re.IGNORECASE)


def plain_path(cloud: Cloud, path: str) -> str:
    """The path without detours. Raises Fault 404."""
    found = _ADDRESS.fullmatch(path)
    if found is not None:
        site = cloud.tenant.find_site(unquote(f"{found['host']}:/{found['path']}"))
        if site is None:
            raise not_found()
        path = f"/sites/{site.site_id}{found['rest']}"
    found = _OWNED.fullmatch(path)
    if found is not None:
        drive = unquote(found["drive"])
        _check_owner(cloud, found["kind"].lower(), unquote(found["owner"]), cloud.tenant.find_drive(drive))
        return f"/drives/{found['drive']}{found['rest']}"
    found = _OF_LIST.fullmatch(path)
    return f"/drives/{_drive_of_list(cloud, found)}{found['rest']}" if found is not None else path


def _check_owner(cloud: Cloud, kind: str, name: str, drive: Person | None) -> None:
    owner: Person | None
    if kind == "groups":
        team = cloud.tenant.teams.find(name)
        owner = cloud.tenant.sites.of_team(team) if team is not None else None
    else:
        owner = cloud.tenant.find_site(name) if kind == "sites" else cloud.tenant.directory.find_person(name)
    if owner is None or drive is None or owner.site_id != drive.site_id:
        raise not_found()


def _drive_of_list(cloud: Cloud, found: re.Match[str]) -> str:
    site, wanted = cloud.tenant.find_site(unquote(found["site"])), unquote(found["list"]).lower()
    lists = lists_of(cloud, site) if isinstance(site, Site) else []
    held = next((each for each in lists if wanted in (each.list_id, each.name.lower())), None)
    library = library_of(cloud, site, held) if isinstance(site, Site) and held is not None else None
    if library is None:
        raise not_found()
    return library.drive_id
