"""The apps of Teams: what the catalogue has, what is installed in a team or chat, and the tabs that show them.

Ids of the built-in ones: https://learn.microsoft.com/graph/teams-configuring-builtin-tabs
"""

from collections.abc import Mapping
from dataclasses import dataclass

WEBSITE = "com.microsoft.teamspace.tab.web"
PLANNER = "com.microsoft.teamspace.tab.planner"
LIBRARY = "com.microsoft.teamspace.tab.files.sharepoint"
WIKI = "com.microsoft.teamspace.tab.wiki"
# Shows one file of the channel's library: https://learn.microsoft.com/graph/teams-configuring-builtin-tabs
_VIEWER = "com.microsoft.teamspace.tab.file.staticviewer."
VIEWERS = {"docx": f"{_VIEWER}word", "xlsx": f"{_VIEWER}excel", "pptx": f"{_VIEWER}powerpoint", "pdf": f"{_VIEWER}pdf"}
_POWER_BI, _LISTS_AND_PAGES = "com.microsoft.teamspace.tab.powerbi", "2a527703-1f6f-4559-a332-d8a7d288cd88"
_OWN = "6f1f5b5e-4b5b-4f5c-9a53-2f0a6e0c7d11"


@dataclass(frozen=True, slots=True)
class App:
    """An app of the catalogue; `reach` is store or organization."""

    app_id: str
    name: str
    reach: str = "store"
    version: str = "1.0.0"


@dataclass(slots=True, eq=False)
class Tab:
    """A tab; some apps tell nothing of how they are set up. With `shows_file` it shows one of the channel's library."""

    tab_id: str
    name: str
    app_id: str
    configuration: Mapping[str, str | None] | None
    shows_file: bool = False


CATALOGUE = {
    each.app_id: each
    for each in (
        App(WEBSITE, "Website"), App(PLANNER, "Planner"), App(LIBRARY, "Document Library"), App(WIKI, "Wiki"),
        App(_POWER_BI, "Power BI"), App(_LISTS_AND_PAGES, "SharePoint"),
        *(App(app_id, f"Viewer of {ending}") for ending, app_id in VIEWERS.items()),
        App("0d820ecd-def2-4297-adad-78056cde7c78", "OneNote"), App(_OWN, "Northwind Orders", "organization", "2.3.1"),
    )
}  # fmt: skip
# What every team and chat has from the start.
FIRST_APPS = (WEBSITE, PLANNER, LIBRARY, WIKI, *VIEWERS.values(), _OWN)
# These can't be set up through Graph.
UNCONFIGURED = frozenset({LIBRARY, WIKI, _POWER_BI, _LISTS_AND_PAGES})


def first_tabs(mark: str, name: str) -> list[Tab]:
    """The tabs of a channel called `name`; `mark` is a GUID to begin their ids with."""
    address = f"https://intranet.northwind.example/{mark}"
    website = {"entityId": None, "contentUrl": address, "websiteUrl": address, "removeUrl": None}
    orders = {"entityId": mark.upper().replace("-", ""), "contentUrl": f"{address}/tabView",
              "websiteUrl": address, "removeUrl": f"{address}/uninstallTab"}  # fmt: skip
    chosen = (("Wiki", WIKI, None), ("Intranet", WEBSITE, website), (f"Orders {name}", _OWN, orders))
    tabs = [
        Tab(f"{mark[:-2]}{place:02x}", title, app_id, configuration)
        for place, (title, app_id, configuration) in enumerate(chosen)
    ]
    return [*tabs, Tab(f"{mark[:-2]}{len(tabs):02x}", "Plan", VIEWERS["pdf"], None, shows_file=True)]
