"""The directory's applications: registrations, service principals, and which permissions an admin has granted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

from cryptography import x509

from tuiback.simtenant.content.app_roles import (
    APP_ROLE_IDS,
    GRAPH_APP_ID,
    ROLE_NAMES,
    SHAREPOINT_APP_ID,
    SHAREPOINT_ROLE_IDS,
    SHAREPOINT_ROLE_NAMES,
)
from tuiback.simtenant.state.clock import Clock

_SECRET_SECONDS = 2 * 365 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class AppSecret:
    """A client secret; its text is shown once, when it is made. Times in seconds since 1970."""

    key_id: str
    text: str
    name: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class AppCertificate:
    """A certificate that may sign assertions."""

    key_id: str
    certificate: x509.Certificate
    name: str


@dataclass(slots=True, eq=False)
class Application:
    """A registration: `object_id` names it in the directory, `app_id` is the client id that it signs in with.

    What is created can be seen only from `visible` on: the directory takes a while to tell all its servers. It has
    `sharepoint_roles` beside what was granted to it where a tester made it.
    """

    object_id: str
    app_id: str
    name: str
    created: float
    visible: float
    required: list[Mapping[str, Any]] = field(default_factory=list)
    secrets: list[AppSecret] = field(default_factory=list)
    certificates: list[AppCertificate] = field(default_factory=list)
    sharepoint_roles: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Principal:
    """An application as something that can be granted permissions in this tenant."""

    object_id: str
    app_id: str
    name: str
    visible: float


@dataclass(frozen=True, slots=True)
class Grant:
    """An application permission that an admin has granted."""

    grant_id: str
    principal_id: str
    role_id: str
    created: float
    visible: float


class Applications:
    """All of one tenant. What is asked for before it is visible is not found."""

    def __init__(self, clock: Clock, graph_principal_id: str, replication_seconds: float) -> None:
        self._clock = clock
        self._delay_seconds = replication_seconds
        self._applications: dict[str, Application] = {}
        self._principals: dict[str, Principal] = {}
        self._grants: dict[str, Grant] = {}
        self.graph = Principal(graph_principal_id, GRAPH_APP_ID, "Microsoft Graph", 0)
        mark = str(uuid5(UUID(graph_principal_id), SHAREPOINT_APP_ID))
        self.sharepoint = Principal(mark, SHAREPOINT_APP_ID, "Office 365 SharePoint Online", 0)
        self._principals |= {each.object_id: each for each in (self.graph, self.sharepoint)}

    def register(
        self, client_id: str, secrets: Iterable[str], certificates: Iterable[str], roles: Iterable[str]
    ) -> None:
        """Make an application with its principal and its permissions known at once, or replace it.

        What it may do with sites it may do through SharePoint's REST interface too.
        Raises ValueError for a certificate that is not PEM.
        """
        loaded = [x509.load_pem_x509_certificate(each.encode()) for each in certificates]
        known = next((app for app in self._applications.values() if app.app_id == client_id), None)
        if known is not None:
            self.delete(known)
        now = self._clock.seconds()
        app = Application(str(uuid4()), client_id, "tuiback", now, 0)
        app.secrets = [AppSecret(str(uuid4()), text, "", now, now + _SECRET_SECONDS) for text in secrets]
        app.certificates = [AppCertificate(str(uuid4()), each, "") for each in loaded]
        app.sharepoint_roles = frozenset(roles) & SHAREPOINT_ROLE_IDS.keys()
        self._applications[app.object_id] = app
        principal = Principal(str(uuid4()), client_id, app.name, 0)
        self._principals[principal.object_id] = principal
        for role in roles:
            # Tests may name permissions that Graph does not have; they are their own ids.
            grant = Grant(str(uuid4()), principal.object_id, APP_ROLE_IDS.get(role, role), now, 0)
            self._grants[grant.grant_id] = grant

    def create(self, name: str, required: list[Mapping[str, Any]], certificates: list[AppCertificate]) -> Application:
        """A new registration, not yet visible."""
        now = self._clock.seconds()
        visible = now + self._delay_seconds
        app = Application(str(uuid4()), str(uuid4()), name, now, visible, required, certificates=certificates)
        self._applications[app.object_id] = app
        return app

    def delete(self, app: Application) -> None:
        """Forget the application, its principal and what was granted to it."""
        self._applications.pop(app.object_id, None)
        for principal in [each for each in self._principals.values() if each.app_id == app.app_id]:
            del self._principals[principal.object_id]
            for grant in [each for each in self._grants.values() if each.principal_id == principal.object_id]:
                del self._grants[grant.grant_id]

    def create_principal(self, app: Application) -> Principal:
        """The application's principal, not yet visible."""
        principal = Principal(str(uuid4()), app.app_id, app.name, self._clock.seconds() + self._delay_seconds)
        self._principals[principal.object_id] = principal
        return principal

    def grant(self, principal: Principal, role_id: str) -> Grant:
        """Grant a permission of Graph or SharePoint; tokens carry it once it is visible."""
        now = self._clock.seconds()
        made = Grant(str(uuid4()), principal.object_id, role_id, now, now + self._delay_seconds)
        self._grants[made.grant_id] = made
        return made

    def revoke(self, grant: Grant) -> None:
        """Take a permission back."""
        self._grants.pop(grant.grant_id, None)

    def find(self, key: str) -> Application | None:
        """By object id or client id."""
        return next((app for app in self.all() if key.lower() in (app.object_id, app.app_id)), None)

    def all(self) -> list[Application]:
        """Every application that can be seen."""
        now = self._clock.seconds()
        return [app for app in self._applications.values() if app.visible <= now]

    def find_principal(self, key: str) -> Principal | None:
        """By object id or client id."""
        return next((each for each in self.principals() if key.lower() in (each.object_id, each.app_id)), None)

    def principals(self) -> list[Principal]:
        """Every principal that can be seen."""
        now = self._clock.seconds()
        return [each for each in self._principals.values() if each.visible <= now]

    def grants(self, principal: Principal) -> list[Grant]:
        """What was granted to a principal; grants can be read back at once."""
        return [each for each in self._grants.values() if each.principal_id == principal.object_id]

    def roles(self, app_id: str) -> frozenset[str]:
        """The names of the permissions that a token for Graph carries now."""
        granted = self._granted(app_id) - SHAREPOINT_ROLE_NAMES.keys()
        return frozenset(ROLE_NAMES.get(each, each) for each in granted)

    def sharepoint_roles(self, app_id: str) -> frozenset[str]:
        """The names of the permissions that a token for SharePoint carries now."""
        app = self.find(app_id)
        granted = self._granted(app_id) & SHAREPOINT_ROLE_NAMES.keys()
        return frozenset(SHAREPOINT_ROLE_NAMES[each] for each in granted) | (app.sharepoint_roles if app else set())

    def _granted(self, app_id: str) -> frozenset[str]:
        """The ids of the permissions that were granted so long ago that they count."""
        principal, now = self.find_principal(app_id), self._clock.seconds()
        found = self.grants(principal) if principal is not None else []
        return frozenset(each.role_id for each in found if each.visible <= now)
