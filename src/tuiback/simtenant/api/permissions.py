"""Which application roles each part of Graph asks for, and how it says no.

Roles per call: https://learn.microsoft.com/graph/permissions-reference
"""

from tuiback.simtenant.api.router import Permission


def _directory(*roles: str) -> Permission:
    return Permission(
        frozenset(roles), "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
    )


def _exchange(*roles: str) -> Permission:
    return Permission(frozenset(roles), "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _files(*roles: str) -> Permission:
    return Permission(frozenset(roles), "accessDenied", "Access denied")


_WRITE_SITES = ("Sites.ReadWrite.All", "Sites.FullControl.All")
READ_USERS = _directory("User.Read.All", "Directory.Read.All")
_WRITE_APPLICATIONS = ("Application.ReadWrite.All", "Application.ReadWrite.OwnedBy")
READ_APPLICATIONS = _directory("Application.Read.All", "Directory.Read.All", *_WRITE_APPLICATIONS)
WRITE_APPLICATIONS = _directory(*_WRITE_APPLICATIONS)
ANY_APPLICATION = _directory()
GRANT_ROLES = _directory("AppRoleAssignment.ReadWrite.All")
READ_ORGANIZATION = _directory("Organization.Read.All", "Directory.Read.All", "User.Read.All")
READ_GROUPS = _directory("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All")
READ_LICENCES = _directory("LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All")
READ_PLACES = _exchange("Place.Read.All")
READ_REPORTS = Permission(frozenset({"Reports.Read.All"}), "S2SUnauthorized", "Invalid permission.")
READ_REPORT_SETTINGS = _directory("ReportSettings.Read.All")
READ_MAIL = _exchange("Mail.Read", "Mail.ReadWrite")
WRITE_MAIL = _exchange("Mail.ReadWrite")
READ_SETTINGS = _exchange("MailboxSettings.Read", "MailboxSettings.ReadWrite")
READ_FILES = _files("Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", *_WRITE_SITES)
WRITE_FILES = _files("Files.ReadWrite.All", *_WRITE_SITES)
