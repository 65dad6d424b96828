"""Which application roles each part of Graph asks for, and how it says no.

Roles per call: https://learn.microsoft.com/graph/permissions-reference
"""

from tuiback.simtenant.api.call import Call
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mailbox_lookup import store_of
from tuiback.simtenant.api.router import Permission
from tuiback.simtenant.api.tokens import Bearer

_EXCHANGE_CODE, _FILES_CODE = "ErrorAccessDenied", "accessDenied"


def _directory(*roles: str) -> Permission:
    return Permission(
        frozenset(roles), "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
    )


def _exchange(*roles: str) -> Permission:
    return Permission(frozenset(roles), _EXCHANGE_CODE, "Access is denied. Check credentials and try again.")


def _files(*roles: str) -> Permission:
    return Permission(frozenset(roles), _FILES_CODE, "Access denied")


def _teams(*roles: str) -> Permission:
    return Permission(frozenset(roles), "Forbidden", "Missing role permissions on the request.")


_NO_PLANS = "You do not have the required permissions to access this item, or the item may not exist."
_WRITE_SITES = ("Sites.ReadWrite.All", "Sites.FullControl.All")
READ_USERS = _directory("User.Read.All", "Directory.Read.All")
_WRITE_APPLICATIONS = ("Application.ReadWrite.All", "Application.ReadWrite.OwnedBy")
READ_APPLICATIONS = _directory("Application.Read.All", "Directory.Read.All", *_WRITE_APPLICATIONS)
WRITE_APPLICATIONS = _directory(*_WRITE_APPLICATIONS)
ANY_APPLICATION = _directory()
GRANT_ROLES = _directory("AppRoleAssignment.ReadWrite.All")
READ_ORGANIZATION = _directory("Organization.Read.All", "Directory.Read.All", "User.Read.All")
READ_GROUPS = _directory("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All")
CREATE_GROUPS = _directory("Group.Create", "Group.ReadWrite.All")
WRITE_GROUPS = _directory("Group.ReadWrite.All")
WRITE_GROUP_MEMBERS = _directory("GroupMember.ReadWrite.All", "Group.ReadWrite.All")
READ_LICENCES = _directory("LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All")
READ_PLACES = _exchange("Place.Read.All")
READ_REPORTS = Permission(frozenset({"Reports.Read.All"}), "S2SUnauthorized", "Invalid permission.")
READ_REPORT_SETTINGS = _directory("ReportSettings.Read.All")
READ_MAIL = _exchange("Mail.Read", "Mail.ReadWrite")
WRITE_MAIL = _exchange("Mail.ReadWrite")
READ_MAILBOX_FOLDERS = _exchange("MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All")
WRITE_MAILBOX_FOLDERS = _exchange("MailboxFolder.ReadWrite.All")
READ_MAILBOX_ITEMS = _exchange("MailboxItem.Read.All", "MailboxItem.ReadWrite.All", "MailboxItem.ImportExport.All")
DELETE_MAILBOX_ITEMS = _exchange("MailboxItem.ReadWrite.All")
EXPORT_MAILBOX_ITEMS = _exchange("MailboxItem.Export.All", "MailboxItem.ImportExport.All")
IMPORT_MAILBOX_ITEMS = _exchange("MailboxItem.ImportExport.All")
# Which permission the ids of mailboxes need is not documented; whoever has one for what they lead to may ask.
READ_MAILBOX_IDS = _exchange(
    *READ_MAILBOX_FOLDERS.roles, *READ_MAILBOX_ITEMS.roles, *EXPORT_MAILBOX_ITEMS.roles,
    "MailboxSettings.Read", "MailboxSettings.ReadWrite",
)  # fmt: skip
READ_CALENDARS = _exchange("Calendars.Read", "Calendars.ReadWrite")
WRITE_CALENDARS = _exchange("Calendars.ReadWrite")
READ_CONTACTS = _exchange("Contacts.Read", "Contacts.ReadWrite")
WRITE_CONTACTS = _exchange("Contacts.ReadWrite")
READ_TASKS = _exchange("Tasks.Read.All", "Tasks.ReadWrite.All")
WRITE_TASKS = _exchange("Tasks.ReadWrite.All")
READ_PLANS = Permission(READ_TASKS.roles | {"Tasks.Read", "Tasks.ReadWrite"}, "", _NO_PLANS)
WRITE_PLANS = Permission(WRITE_TASKS.roles | {"Tasks.ReadWrite"}, "", _NO_PLANS)
SEND_MAIL = _exchange("Mail.Send")
READ_SETTINGS = _exchange("MailboxSettings.Read", "MailboxSettings.ReadWrite")
WRITE_SETTINGS = _exchange("MailboxSettings.ReadWrite")
READ_CONFIGURATIONS = _exchange("MailboxConfigItem.Read", "MailboxConfigItem.ReadWrite")
WRITE_CONFIGURATIONS = _exchange("MailboxConfigItem.ReadWrite")
_READ_GROUP_DATA = ("Group.Read.All", "Group.ReadWrite.All")
READ_TEAMS = _teams("Team.ReadBasic.All", "TeamSettings.Read.All", *_READ_GROUP_DATA)
CREATE_TEAMS = _teams("Team.Create", "Teamwork.Migrate.All", "Group.ReadWrite.All")
READ_CHANNELS = _teams("Channel.ReadBasic.All", "ChannelSettings.Read.All", *_READ_GROUP_DATA)
CREATE_CHANNELS = _teams("Channel.Create", "Teamwork.Migrate.All", "Group.ReadWrite.All")
READ_TEAM_MEMBERS = _teams("TeamMember.Read.All", "TeamMember.ReadWrite.All", *_READ_GROUP_DATA)
READ_CHANNEL_MEMBERS = _teams("ChannelMember.Read.All", "ChannelMember.ReadWrite.All")
READ_CHANNEL_FILES = _teams("Files.Read.All", "Files.ReadWrite.All", *_READ_GROUP_DATA)
READ_POSTS = _teams("ChannelMessage.Read.All", *_READ_GROUP_DATA)
WRITE_POSTS = _teams("ChannelMessage.Send", "Teamwork.Migrate.All")
WRITE_CHAT_POSTS = _teams("ChatMessage.Send", "Chat.ReadWrite.All", "Teamwork.Migrate.All")
MIGRATE_POSTS = _teams("Teamwork.Migrate.All")
READ_TABS = _teams("TeamsTab.Read.All", "TeamsTab.ReadWrite.All", *_READ_GROUP_DATA, "Directory.Read.All")
CREATE_TABS = _teams("TeamsTab.Create", "TeamsTab.ReadWrite.All", "Group.ReadWrite.All")
WRITE_TABS = _teams("TeamsTab.ReadWrite.All", "Group.ReadWrite.All")
_WRITE_TEAM_APPS = ("TeamsAppInstallation.ReadWriteForTeam.All", "Group.ReadWrite.All")
READ_TEAM_APPS = _teams("TeamsAppInstallation.ReadForTeam.All", *_WRITE_TEAM_APPS, "Group.Read.All")
WRITE_TEAM_APPS = _teams(*_WRITE_TEAM_APPS)
READ_USER_APPS = _teams("TeamsAppInstallation.ReadForUser.All", "TeamsAppInstallation.ReadWriteForUser.All")
READ_APP_CATALOGUE = _teams("AppCatalog.Read.All")
READ_TAGS = _teams("TeamworkTag.Read.All", "TeamworkTag.ReadWrite.All")
WRITE_TAGS = _teams("TeamworkTag.ReadWrite.All")
READ_SCHEDULES = _teams("Schedule.Read.All", "Schedule.ReadWrite.All")
WRITE_SCHEDULES = _teams("Schedule.ReadWrite.All")
WRITE_TEAMS = _teams("TeamSettings.ReadWrite.All", "Group.ReadWrite.All")
WRITE_CHANNELS = _teams("ChannelSettings.ReadWrite.All", "Group.ReadWrite.All")
DELETE_CHANNELS = _teams("Channel.Delete.All", "Group.ReadWrite.All")
WRITE_TEAM_MEMBERS = _teams("TeamMember.ReadWrite.All", "Group.ReadWrite.All")
WRITE_CHANNEL_MEMBERS = _teams("ChannelMember.ReadWrite.All")
_WRITE_CHATS = ("Chat.ReadWrite.All",)
READ_CHATS = _teams("Chat.ReadBasic.All", "Chat.Read.All", *_WRITE_CHATS)
CREATE_CHATS = _teams("Chat.Create", "Teamwork.Migrate.All")
READ_CHAT_MEMBERS = _teams("ChatMember.Read.All", "ChatMember.ReadWrite.All", *READ_CHATS.roles)
READ_CHAT_POSTS = _teams("Chat.Read.All", *_WRITE_CHATS)
READ_CHAT_APPS = _teams("TeamsAppInstallation.ReadForChat.All")
READ_CONVERSATIONS = _exchange("Group-Conversation.Read.All", *_READ_GROUP_DATA)
READ_SITES = _files("Sites.Read.All", *_WRITE_SITES)
WRITE_SITES = _files(*_WRITE_SITES)
MANAGE_LISTS = _files("Sites.Manage.All", "Sites.FullControl.All")
CONTROL_SITES = _files("Sites.FullControl.All")
READ_TERMS = _files("TermStore.Read.All", "TermStore.ReadWrite.All")
WRITE_TERMS = _files("TermStore.ReadWrite.All")
# Only what was granted on behalf of a person counts here.
_NOTES_CODE, _NOTES_TEXT = "40004", "The OAuth token provided does not have the necessary scopes to perform the action."
_WRITE_NOTES = ("Notes.ReadWrite", "Notes.ReadWrite.All")
READ_NOTES = Permission(frozenset({"Notes.Read", "Notes.Read.All", *_WRITE_NOTES}), _NOTES_CODE, _NOTES_TEXT)
WRITE_NOTES = Permission(frozenset(_WRITE_NOTES), _NOTES_CODE, _NOTES_TEXT)
SEARCH = Permission(
    frozenset({*READ_SITES.roles, "Files.Read.All", "Files.ReadWrite.All", "Mail.Read", "Mail.ReadWrite"}), "Forbidden",
    "Access is denied.",
)  # fmt: skip
TRANSLATE_IDS = _exchange(*READ_USERS.roles, *READ_MAIL.roles)
READ_FILES = _files("Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", *_WRITE_SITES)
WRITE_FILES = _files("Files.ReadWrite.All", *_WRITE_SITES)


def is_permitted(permission: Permission, cloud: Cloud, call: Call, bearer: Bearer) -> bool:
    """Whether the token's bearer may do this.

    For an application that has its own permissions everything of the tenant is open. On behalf of a person it reaches
    that person's mailbox and files, for which the permissions without `.All` are enough, and what of the directory it
    was granted: https://learn.microsoft.com/graph/permissions-overview
    """
    granted = bearer.permissions
    if not permission.roles:
        return True
    if not bearer.person_id:
        return bool(permission.roles & granted) or _is_selected(permission, cloud, call, bearer)
    if _is_own(cloud, call, bearer.person_id):
        return bool(permission.roles & (granted | {f"{name}.All" for name in granted}))
    is_personal = permission.code in (_EXCHANGE_CODE, _FILES_CODE) and {"user", "drive", "mailbox"} & call.where.keys()
    return not is_personal and bool(permission.roles & granted)


# What a role on a single site is as good as, there.
SELECTED_ROLES: dict[str, frozenset[str]] = {
    "read": frozenset({"Sites.Read.All"}),
    "write": frozenset({"Sites.Read.All", "Sites.ReadWrite.All"}),
    "manage": frozenset({"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All"}),
    "fullcontrol": frozenset({"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}),
}


def _is_selected(permission: Permission, cloud: Cloud, call: Call, bearer: Bearer) -> bool:
    """Whether an application that reaches single sites may do this on the one that the URL names.

    https://learn.microsoft.com/graph/permissions-selected-overview
    """
    if "Sites.Selected" not in bearer.permissions or permission.code != _FILES_CODE:
        return False
    where = call.where
    name = where.get("site", "") + (f":/{where['path']}" if "drive" not in call.path and "path" in where else "")
    site = cloud.tenant.find_drive(where["drive"]) if "drive" in where else cloud.tenant.find_site(name)
    grant = cloud.tenant.sites.grants.get(site.site_id, {}).get(bearer.client_id) if site is not None else None
    return grant is not None and bool(SELECTED_ROLES[grant.role] & permission.roles)


def _is_own(cloud: Cloud, call: Call, person_id: str) -> bool:
    directory = cloud.tenant.directory
    if "chat" in call.where:
        chat, person = cloud.tenant.chats.find(call.where["chat"]), directory.find(person_id)
        return chat is not None and person is not None and person.index in chat.members
    if "mailbox" in call.where:
        return store_of(cloud, call).account.person.object_id == person_id
    if "drive" in call.where:
        account = directory.find_drive(call.where["drive"])
    else:
        account = directory.find(call.where.get("user", ""))
    return account is not None and account.person.object_id == person_id
