"""Who may read what people share: each part has its permission, and says no in the words of its service."""

import pytest

from tests.simtenant.caller import Caller, code_of

TEAM, CHANNEL = "/teams/{team}", "/teams/{team}/channels/{channel}"


@pytest.fixture
def places(caller: Caller) -> dict[str, str]:
    """What stands for the names in braces."""
    team = caller.walk("/teams?$select=id")[0][1]["id"]
    user = caller.users()[0]
    return {
        "team": team, "channel": caller.get(f"/teams/{team}/primaryChannel")["id"], "user": user,
        "chat": caller.walk(f"/users/{user}/chats")[0][0]["id"],
        "site": caller.walk("/sites?$select=id")[0][-1]["id"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "role", "code"),
    [
        (TEAM, "TeamSettings.Read.All", "Forbidden"),
        (TEAM + "/installedApps", "TeamsAppInstallation.ReadForTeam.All", "Forbidden"),
        ("/appCatalogs/teamsApps", "AppCatalog.Read.All", "Forbidden"),
        ("/users/{user}/joinedTeams", "Team.ReadBasic.All", "Forbidden"),
        (CHANNEL, "Channel.ReadBasic.All", "Forbidden"),
        (CHANNEL + "/tabs", "TeamsTab.Read.All", "Forbidden"),
        (CHANNEL + "/allMembers", "ChannelMember.Read.All", "Forbidden"),
        (CHANNEL + "/messages", "ChannelMessage.Read.All", "Forbidden"),
        ("/teams/{team}/channels/getAllRetainedMessages", "ChannelMessage.Read.All", "Forbidden"),
        ("/users/{user}/chats", "Chat.ReadBasic.All", "Forbidden"),
        ("/chats/{chat}/members", "ChatMember.Read.All", "Forbidden"),
        ("/chats/{chat}/messages", "Chat.Read.All", "Forbidden"),
        ("/users/{user}/chats/getAllMessages", "Chat.Read.All", "Forbidden"),
        ("/chats/{chat}/installedApps", "TeamsAppInstallation.ReadForChat.All", "Forbidden"),
        ("/groups/{team}/threads", "Group-Conversation.Read.All", "ErrorAccessDenied"),
        ("/sites/{site}/pages", "Sites.Read.All", "accessDenied"),
        ("/sites/{site}/lists/Assets/contentTypes", "Sites.Read.All", "accessDenied"),
        ("/sites/{site}/drives", "Files.Read.All", "accessDenied"),
        ("/users/{user}/drive/recent", "Files.Read.All", "accessDenied"),
    ],
)
def test_each_part_has_its_permission(
    caller: Caller, places: dict[str, str], path: str, role: str, code: str
) -> None:
    """403 without it, 200 with it and nothing else."""
    statuses = []
    for roles in (["User.Read.All"], [role]):
        caller.control("/applications", {"client_id": "few", "secret": "s", "roles": roles})
        caller.sign_in("few", "s")
        reply = caller.send("GET", path.format(**places))
        statuses.append((reply.status_code, code_of(reply) if reply.status_code >= 400 else ""))
    assert statuses == [(403, code), (200, "")]
