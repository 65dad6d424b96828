"""The Tenants screen: credentials and how long they last, consent, and what each app may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from tuiback.console.keys import TENANTS, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.errors import TuibackError
from tuiback.model import Consent, Tenant

# Days before the end at which somebody should act, and must.
SOON, NOW = 30, 7
CONSENT_WORDS = {Consent.UNKNOWN: "unchecked", Consent.WAITING: "waiting", Consent.GRANTED: "granted"}
NO_TENANT = "No tenant yet. 'tuiback tenant register NAME' makes one."


@dataclass(frozen=True, slots=True)
class Customer:
    """A tenant and how many tasks back it up."""

    repository: str
    tenant: Tenant
    tasks: int


class TenantsScreen(ListScreen[Customer]):
    """Whose data is backed up, and by what right."""

    BINDINGS = bindings(TENANTS)
    screen_name = "Tenants"
    list_title = "TENANTS"
    about_title = "TENANT"
    detail_rows = (9, 16)
    sort_keys: ClassVar = {
        "tenant": lambda one: one.tenant.name,
        "expires": lambda one: (one.tenant.credential_expires_on or "9999", one.tenant.name),
    }

    def __init__(self) -> None:
        super().__init__()
        self._checked: dict[str, list[Line]] = {}

    # ---- what is shown

    def read(self, view: ConsoleView) -> Sequence[Customer]:
        """The tenants of every repository."""
        found: list[Customer] = []
        for name, reader in view.readers():
            tasks = reader.tasks()
            found += [
                Customer(name, tenant, sum(task.tenant == tenant.name for task in tasks)) for tenant in reader.tenants()
            ]
        return found

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        columns = [
            Column("tenant", "TENANT", 14, grow=True), Column("cloud", "CLOUD", 8),
            Column("tasks", "TASKS", 5, "right"), Column("kind", "CREDENTIAL", 11),
            Column("expires", "EXPIRES", 22), Column("consent", "CONSENT", 9),
        ]
        if width >= 130:
            columns.insert(1, Column("id", "TENANT ID", 36))
        return tuple(columns)

    def key(self, value: Customer) -> str:
        """Its name."""
        return value.tenant.name

    def cells(self, value: Customer) -> Mapping[str, str | Line]:
        """How long it may still be backed up."""
        tenant = value.tenant
        tone = {Consent.GRANTED: "ok", Consent.WAITING: "err"}.get(tenant.consent, "dim")
        return {
            "tenant": (Span(tenant.name, "strong"),), "id": (Span(tenant.tenant_id, "dim"),), "cloud": tenant.cloud,
            "tasks": f"{value.tasks}", "kind": tenant.credential_kind,
            "expires": (expiry(tenant.credential_expires_on, self.now),),
            "consent": (Span(CONSENT_WORDS[tenant.consent], tone),),
        }

    def words(self, value: Customer) -> str:
        """Names and ids."""
        return f"{value.tenant.name} {value.tenant.tenant_id} {value.tenant.client_id}"

    def details(self, value: Customer, width: int) -> list[Line]:
        """Ids, and what the last check found."""
        tenant = value.tenant
        lines = [
            line((tenant.name, "title"), (f"   {tenant.cloud} cloud, repository {value.repository}", "dim")),
            line(("Tenant  ", "label"), tenant.tenant_id),
            line(("App     ", "label"), tenant.client_id),
        ]
        found = self._checked.get(tenant.name)
        if found is None:
            asked = f"F8 signs in and shows what the app may do; its credential: 'tuiback tenant renew {tenant.name}'."
            return lines + [line((text, "dim")) for text in wrap(asked, width, 2)]
        return lines + found

    def nothing(self) -> str:
        """How to begin."""
        return NO_TENANT

    # ---- what is done

    def action_check(self) -> None:
        """Sign in as the tenant's app."""
        from tuiback.engine.commands import CheckTenant

        if (one := self.current) is not None:
            name = one.tenant.name
            self._checked[name] = [line(("Signing in...", "dim"))]
            self.console_app.submit(CheckTenant(tenant=name), lambda *answer: self._take_check(name, *answer))
            self.show_lines()

    def _take_check(self, name: str, result: dict[str, object] | None, fault: TuibackError | None) -> None:
        self._checked[name] = [line((str(fault), "err"))] if result is None else check_lines(result)
        if self.is_current:
            self.show_lines()


def expiry(last_day: str | None, now: datetime) -> Span:
    """The last day of a credential, and how many are left."""
    if last_day is None:
        return Span("unknown", "dim")
    left = (date.fromisoformat(last_day) - now.date()).days
    if left < 0:
        return Span(f"{last_day} EXPIRED", "err")
    return Span(f"{last_day} in {left} d", "err" if left <= NOW else "warn" if left <= SOON else "")


def check_lines(result: Mapping[str, object]) -> list[Line]:
    """What a check found, what is missing first."""
    lines = [line(("Signed in", "ok") if result.get("ok") else ("Not everything is granted", "warn"))]
    permissions = result.get("permissions")
    rows = [row for row in permissions if isinstance(row, dict)] if isinstance(permissions, Sequence) else []
    for row in sorted(rows, key=lambda row: bool(row.get("granted"))):
        word = Span("granted  ", "ok") if row.get("granted") else Span("missing  ", "err")
        lines.append((word, Span(f"{row.get('name', ''):<28}"), Span(f"{row.get('needed_for', '')}", "dim")))
    return lines
