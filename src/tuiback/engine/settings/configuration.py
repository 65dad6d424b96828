"""The configuration of a home as one document without secrets: read from a file, compared, written to one."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import fields

from tuiback.connectors import CONNECTORS
from tuiback.engine.clouds import choose_cloud
from tuiback.engine.duration import parse_duration
from tuiback.engine.home import Access, Home, RepositoryRef
from tuiback.engine.settings.allotment import LimitSettings
from tuiback.engine.settings.channel_tables import CHANNEL_TYPES, SECRET_KEYS, channel_table, whole_channel
from tuiback.engine.settings.channels import Channel
from tuiback.engine.settings.left_out import LeftOut
from tuiback.engine.settings.retention import parse_keep, parse_keep_gone
from tuiback.engine.timing.due import MODES
from tuiback.engine.timing.hours import parse_hours
from tuiback.engine.timing.timetable import parse_timetable, parse_zone
from tuiback.errors import TuibackError, UsageError
from tuiback.model import Task, Tenant

VERSION = 1
Table = dict[str, Any]
# Each kind of table, by name: {"tasks": {"mail": {...}}}; "limits" and "access" are one table each, under the name "".
Document = dict[str, dict[str, Table]]

LIMITS, ACCESS, REPOSITORIES, TENANTS, TASKS, NOTIFY = (
    "limits", "access", "repositories", "tenants", "tasks", "notify"
)  # fmt: skip
# The order in which things are made: what a table names is there before it.
SECTIONS = (LIMITS, ACCESS, REPOSITORIES, TENANTS, TASKS, NOTIFY)
_DEFAULTS: Mapping[str, Table] = {
    LIMITS: msgspec.structs.asdict(LimitSettings()), ACCESS: msgspec.structs.asdict(Access())
}  # fmt: skip

# What is not configuration, and what the file calls otherwise.
_NOT_IN_FILE = frozenset({"name", "created_at", "former_names"})
_CALLED = {"everything": "all"}
_TENANT_TYPES: Mapping[str, type] = {
    "tenant_id": str, "client_id": str, "cloud": str, "graph_url": str, "authority": str, "repository": str,
    # Where `apply` finds what a new tenant signs in with.
    "client_secret_file": str, "certificate": str,
}  # fmt: skip
_CREDENTIAL_FILES: Mapping[str, tuple[str, str]] = {
    "secret": ("client_secret_file", ".client-secret"), "certificate": ("certificate", ".pem"),
}  # fmt: skip
_TENANT_DEFAULTS: Table = {"cloud": "global", "graph_url": "", "authority": "", "repository": "main"}
# Where something new is to lie and its secrets are read from: of no meaning for what is there already.
_FILE_KEYS = frozenset({"client_secret_file", "certificate", "key_file", "catalog", *SECRET_KEYS})
_REPOSITORY_TYPES: Mapping[str, type] = {"url": str, "key_file": str, "catalog": str}


def _task_fields() -> dict[str, tuple[str, Any]]:
    """Of each key in a task's table: the field of model.Task and its default (NODEFAULT without one)."""
    return {_CALLED.get(f.name, f.name): (f.name, f.default) for f in fields(Task) if f.name not in _NOT_IN_FILE}


TASK_FIELDS = _task_fields()
_TASK_TYPES = {key: next(f.type for f in fields(Task) if f.name == name) for key, (name, _) in TASK_FIELDS.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one table: "added", "edited" or "removed".

    `fields` are (key, before, after) of what changes, `whole` is the table as it is to be.
    """

    what: str
    section: str
    name: str
    fields: tuple[tuple[str, Any, Any], ...] = ()
    whole: Mapping[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table as the file names it."""
        return table_name(self.section, self.name)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a home differs from what is wanted: the changes in the order they are made in, and the tables as they are."""

    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]


def table_name(section: str, name: str) -> str:
    """How the file calls a table: "tasks.mail"."""
    return f"{section}.{name}" if name else section


def present_document(
    home: Home,
    tenants: Iterable[tuple[str, Tenant]],
    tasks: Iterable[Task],
    limits: LimitSettings,
    channels: Iterable[Channel] = (),
) -> Document:
    """What is configured now; `tenants` come with their repository's name.

    Secrets are not in it: it names the files, beside its own, that another home would read them from.
    """
    return {
        LIMITS: {"": msgspec.structs.asdict(limits)},
        ACCESS: {"": msgspec.structs.asdict(home.access)},
        REPOSITORIES: {name: _repository_table(home, ref) for name, ref in home.repositories.items()},
        TENANTS: {tenant.name: _tenant_table(repository, tenant) for repository, tenant in tenants},
        TASKS: {task.name: _task_table(task) for task in tasks},
        NOTIFY: {channel.name: channel_table(channel) for channel in channels},
    }


def _repository_table(home: Home, ref: RepositoryRef) -> Table:
    table: Table = {"url": ref.url}
    if ref.key_file is not None:
        table["key_file"] = ref.key_file
    if ref.catalog != str(home.default_catalog_folder(ref.name)):
        table["catalog"] = ref.catalog
    return table


def _tenant_table(repository: str, tenant: Tenant) -> Table:
    table: Table = {"tenant_id": tenant.tenant_id, "client_id": tenant.client_id, "cloud": tenant.cloud}
    if tenant.cloud == "custom":
        table |= {"graph_url": tenant.graph_url, "authority": tenant.authority}
    key, ending = _CREDENTIAL_FILES[tenant.credential_kind]
    return {**_TENANT_DEFAULTS, **table, "repository": repository, key: f"{tenant.name}{ending}"}


def _task_table(task: Task) -> Table:
    values = {key: getattr(task, name) for key, (name, _) in TASK_FIELDS.items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def file_tables(document: Document) -> dict[str, Any]:
    """The document as the tables of a TOML file."""
    tables: dict[str, Any] = {"version": VERSION}
    return tables | {
        section: document[section][""] if section in _DEFAULTS else document[section] for section in SECTIONS
    }


def read_document(text: str, file: str, expand: Callable[[list[str]], list[str]]) -> Document:
    """What a file wants. `expand` puts the lines of a list in the place of @FILE.

    Raises UsageError that names the file, the table and the key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"is no TOML: {error}", file, "repair that line") from error
    if tables.pop("version", VERSION) != VERSION:
        raise UsageError(f"version: this tuiback reads version {VERSION}", file, "write it anew with 'export-config'")
    document: Document = {}
    for section, content in tables.items():
        if section not in SECTIONS or not isinstance(content, dict):
            known = ", ".join(f"[{each}]" for each in SECTIONS)
            raise UsageError(f"[{section}] is no table of a configuration", file, f"there are {known}")
        named = {"": content} if section in _DEFAULTS else content
        document[section] = {
            name: _read_table(_Place(file, section, name), table, expand) for name, table in named.items()
        }
    return document


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of a file, to say where something is wrong."""

    file: str
    section: str
    name: str

    def wrong(self, key: str, what: str, remedy: str = "") -> UsageError:
        """What is wrong with one key of it, or with the table for the key ""."""
        where = f"[{table_name(self.section, self.name)}]"
        return UsageError(f"{where} {key}: {what}" if key else f"{where} {what}", self.file, remedy)


def _read_table(place: _Place, table: object, expand: Callable[[list[str]], list[str]]) -> Table:
    if not isinstance(table, dict):
        raise place.wrong("", "is no table")
    types: Mapping[str, Any] = {
        LIMITS: _types_of(LIMITS),
        ACCESS: _types_of(ACCESS),
        REPOSITORIES: _REPOSITORY_TYPES,
        TENANTS: _TENANT_TYPES,
        TASKS: _TASK_TYPES,
        NOTIFY: CHANNEL_TYPES,
    }[place.section]
    read: Table = {}
    for key, value in table.items():
        if key not in types:
            raise place.wrong(key, "there is no such key", f"there are {', '.join(types)}")
        try:
            read[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            raise place.wrong(key, str(error)) from error
        if isinstance(read[key], tuple):
            try:
                read[key] = expand(list(read[key]))
            except TuibackError as error:
                raise place.wrong(key, str(error)) from error
    if place.section == TASKS:
        return _whole_task(place, read)
    if place.section == NOTIFY:
        try:
            return whole_channel(read)
        except UsageError as error:
            raise place.wrong(error.subject, error.what, error.remedy) from error
    if place.section == REPOSITORIES and not read.get("url"):
        raise place.wrong("url", "is missing")
    return _whole_tenant(place, read) if place.section == TENANTS else {**_DEFAULTS.get(place.section, {}), **read}


def _types_of(section: str) -> Mapping[str, type]:
    return {name: type(value) for name, value in _DEFAULTS[section].items()}


def _whole_task(place: _Place, given: Table) -> Table:
    """The table with its defaults. Raises UsageError where a value, or the whole, makes no sense."""
    for key in ("tenant", "service"):
        if not given.get(key):
            raise place.wrong(key, "is missing")
    for key, check in _TASK_CHECKS.items():
        if given.get(key):
            try:
                check(given)
            except UsageError as error:
                raise place.wrong(key, f"'{error.subject}' {error.what}", error.remedy) from error
    defaults = {key: default for key, (_, default) in TASK_FIELDS.items() if default is not msgspec.NODEFAULT}
    whole = {key: list(value) if isinstance(value, tuple) else value for key, value in (defaults | given).items()}
    if whole["cron"] and whole["mode"] != "scheduled":
        raise place.wrong("cron", "goes with mode = \"scheduled\"", "give both, or leave it out")
    if whole["mode"] == "scheduled" and not whole["cron"]:
        raise place.wrong("cron", "is missing", "write it like cron = '0 22 * * *'")
    if not (whole["all"] or whole["accounts"] or whole["groups"]):
        raise place.wrong("", "names no account", "give all, accounts or groups")
    if whole["fixed"] and "accounts" not in given:
        del whole["accounts"]  # the list of its day stays as it is
    return whole


def _one_of(known: Iterable[str], value: str) -> None:
    names = list(known)
    if value not in names:
        raise UsageError("is not known", value, f"choose one of: {', '.join(names)}")


_TASK_CHECKS: Mapping[str, Callable[[Table], object]] = {
    "service": lambda table: _one_of((connector.service for connector in CONNECTORS), table["service"]),
    "mode": lambda table: _one_of(MODES, table["mode"]),
    "tz": lambda table: parse_zone(table["tz"]),
    "window": lambda table: parse_hours(table["window"], parse_zone(table.get("tz", ""))),
    "cron": lambda table: parse_timetable(table["cron"], table.get("tz", ""), table.get("window", "")),
    "keep": lambda table: parse_keep(table["keep"]),
    "keep_gone": lambda table: parse_keep_gone(table["keep_gone"]),
    "objective": lambda table: parse_duration(table["objective"]),
    "exclude_paths": lambda table: LeftOut(table["exclude_paths"]),
}


def _whole_tenant(place: _Place, given: Table) -> Table:
    for key in ("tenant_id", "client_id"):
        if not given.get(key):
            raise place.wrong(key, "is missing")
    whole = _TENANT_DEFAULTS | given
    try:
        cloud = choose_cloud(whole["cloud"], whole["tenant_id"], whole["graph_url"], whole["authority"])
    except KeyError:
        raise place.wrong("cloud", f"'{whole['cloud']}' is no cloud") from None
    except UsageError as error:
        raise place.wrong("cloud", str(error)) from error
    return whole | ({"graph_url": cloud.graph_url, "authority": cloud.authority} if cloud.name == "custom" else {})


def find_difference(present: Document, wanted: Document, *, remove_absent: bool) -> Difference:
    """What must change for the home to be as wanted.

    Keys that the file leaves out have their defaults; tables it leaves out stay, or leave with `remove_absent`: tasks,
    tenants and channels, never repositories.
    """
    changes: list[Change] = []
    unchanged: list[str] = []
    for section in SECTIONS:
        before = present[section]
        for name, table in wanted.get(section, {}).items():
            old = before.get(name)
            told = {key: value for key, value in table.items() if key not in _FILE_KEYS or old is None}
            rows = tuple((key, (old or {}).get(key), value) for key, value in told.items())
            different = tuple(row for row in rows if old is None or row[1] != row[2])
            if old is None:
                changes.append(Change("added", section, name, different, table))
            elif different:
                changes.append(Change("edited", section, name, different, table))
            else:
                unchanged.append(table_name(section, name))
    if remove_absent:
        for section in (TASKS, TENANTS, NOTIFY):
            absent = sorted(present[section].keys() - wanted.get(section, {}).keys())
            changes += [Change("removed", section, name) for name in absent]
    return Difference(tuple(changes), tuple(unchanged))
