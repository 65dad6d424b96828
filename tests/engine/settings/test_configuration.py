"""The whole configuration goes out as one file and comes back from it the same, byte for byte."""

import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuiback.cli.applying import channels_for, commands_for
from tuiback.engine.commands import ChangeTasks, PutTenant, SetLimits
from tuiback.engine.home import Access, Home, RepositoryRef
from tuiback.engine.settings.allotment import LimitSettings, changed_limits
from tuiback.engine.settings.channels import Channel, Channels, PingChannel, SmtpChannel, WebhookChannel
from tuiback.engine.settings.configuration import (
    ACCESS,
    NOTIFY,
    REPOSITORIES,
    TASK_FIELDS,
    Document,
    file_tables,
    find_difference,
    present_document,
    read_document,
)
from tuiback.engine.settings.task_plan import planned
from tuiback.model import Consent, Task, Tenant

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LOCAL = (("/", "ext4"),)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
# What may stand in a name in a directory, as long as it is no @FILE.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="@\n\r\0"), min_size=1, max_size=12).filter(str.strip)
LISTS = st.lists(TEXTS.map(str.strip), max_size=3, unique=True).map(tuple)
PLANS = st.sampled_from(
    [
        {"mode": "manual"},
        {"mode": "continuous", "window": "mon-fri 20:00-06:00,sat-sun", "tz": "Europe/Berlin"},
        {"mode": "scheduled", "cron": "0 22 * * *", "tz": "Asia/Kolkata", "window": ""},
    ]
)
SCOPES = st.one_of(
    st.just({"everything": True}),
    st.builds(lambda some: {"everything": True, "fixed": True, "accounts": ("mailbox:1", *some)}, LISTS),
    st.builds(lambda some, others: {"accounts": ("anna", *some), "groups": others}, LISTS, LISTS),
)
TASKS = st.builds(
    lambda scope, plan, **rest: Task("", **{"tenant": "", **rest, **scope, **plan}),
    SCOPES,
    PLANS,
    service=st.sampled_from(["exchange", "onedrive"]),
    exclude=LISTS,
    exclude_paths=st.sampled_from([(), ("*.iso", "Temp/")]),
    keep=st.sampled_from(["all", "365d", "30v", "7d,4w,12m,3y"]),
    keep_gone=st.sampled_from(["forever", "365d"]),
    priority=st.integers(-9, 9),
    paused=st.booleans(),
    objective=st.sampled_from(["", "26h"]),
)
TENANTS = st.builds(
    Tenant,
    name=st.just(""),
    tenant_id=st.uuids().map(str),
    client_id=st.uuids().map(str),
    cloud=st.sampled_from(["global", "gcc-high", "china"]),
    graph_url=st.just(""),
    authority=st.just(""),
    credential_kind=st.just("secret"),
    credential=st.just(b"sealed"),
    credential_expires_on=st.sampled_from([None, "2027-01-01"]),
    consent=st.sampled_from(Consent),
)
CHANNELS: st.SearchStrategy[Channel] = st.one_of(
    st.builds(
        SmtpChannel, name=st.just(""), host=st.just("mail.acme.example"), port=st.integers(1, 65535),
        security=st.sampled_from(["starttls", "ssl"]), sender=TEXTS, to=LISTS.filter(bool),
        user=st.just("nas"), password=st.just("s3cret"), digest=st.sampled_from(["", "07:00"]),
    ),
    st.builds(WebhookChannel, name=st.just(""), url=st.just("https://hook/s3cret"), authorization=st.just("s3cret")),
    st.builds(PingChannel, name=st.just(""), url=st.just("https://ping/s3cret"), every_seconds=st.floats(1, 9999)),
)  # fmt: skip
LIMITS = st.builds(
    LimitSettings, accounts=st.integers(1, 20), files=st.integers(1, 20),
    rate=st.sampled_from(["", "mon-fri 08-18 20mbit; 100mbit"]), tz=st.sampled_from(["", "Europe/Berlin"]),
)  # fmt: skip
ACCESSES = st.builds(Access, viewer=NAMES, operator=st.just(""), export_folder=TEXTS)


def a_home(folder: Path, access: Access) -> Home:
    """A home with two repositories; what is in them is of no matter here."""
    home = Home.create(folder, mounts=LOCAL)
    home.add_repository(RepositoryRef(name="main", url="/r", repository_id="1", catalog=str(folder / "catalogs/main")))
    home.add_repository(
        RepositoryRef(name="other", url="s3://bucket/x", repository_id="2", catalog="/fast/disk", key_file="/k/other")
    )
    home.allow(access)
    return home


def written(document: Document) -> str:
    """The file as `export-config` writes it."""
    return tomli_w.dumps(file_tables(document), indent=2)


def expand_none(values: list[str]) -> list[str]:
    """No list here names a file."""
    return values


def applied_to_nothing(text: str, folder: Path) -> Document:
    """What a home has become that had nothing, after `apply` of the text."""
    bare = Home.create(folder, mounts=LOCAL)
    wanted = read_document(text, "t.toml", expand_none)
    present = present_document(bare, [], [], LimitSettings())
    changes = find_difference(present, wanted, remove_absent=True).changes
    tenants: list[tuple[str, Tenant]] = []
    tasks: list[Task] = []
    limits = LimitSettings()
    for command in commands_for(changes, folder / "t.toml"):
        match command:
            case SetLimits():
                given = {name: getattr(command, name) for name in ("accounts", "files", "rate", "tz")}
                limits = changed_limits(limits, 20, **given)
            case PutTenant():
                tenants.append((command.repository, _tenant_of(command)))
            case ChangeTasks():
                tasks += [planned(put, NOW) for put in command.add]
    for change in changes:
        if change.section == ACCESS:
            bare.allow(Access(**change.whole))
        if change.section == REPOSITORIES:
            catalog = change.whole.get("catalog") or str(bare.default_catalog_folder(change.name))
            bare.add_repository(
                RepositoryRef(
                    name=change.name, url=change.whole["url"], repository_id="", catalog=catalog,
                    key_file=change.whole.get("key_file"),
                )
            )  # fmt: skip
    channels = Channels(folder)
    for keep, channel in channels_for(channels, (c for c in changes if c.section == NOTIFY), folder / "t.toml"):
        keep(channel)
    return present_document(bare, tenants, tasks, limits, channels.all())


def _tenant_of(command: PutTenant) -> Tenant:
    named = {name: getattr(command, name) for name in Tenant.__struct_fields__ if hasattr(command, name)}
    return Tenant(**{**named, "credential": command.credential.encode()})


def named(rows: Mapping[str, Any], tenants: Iterable[str] = ()) -> list[Any]:
    """The rows under their names; tasks belong to the tenants in turn."""
    some = sorted(tenants)
    return [
        replace(row, name=name, tenant=some[number % len(some)]) if isinstance(row, Task) else replace(row, name=name)
        for number, (name, row) in enumerate(sorted(rows.items()))
    ]


def _channel(name: str, channel: Channel) -> Channel:
    return type(channel)(**{**{f: getattr(channel, f) for f in channel.__struct_fields__}, "name": name})


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(NAMES, TENANTS, min_size=1, max_size=2),
    st.dictionaries(NAMES, TASKS, max_size=4),
    st.dictionaries(NAMES, CHANNELS, max_size=3),
    LIMITS,
    ACCESSES,
)
def test_what_goes_out_comes_back(
    tenants: dict[str, Tenant], tasks: dict[str, Task], channels: dict[str, Channel], limits: LimitSettings,
    access: Access,
) -> None:  # fmt: skip
    """A home that had nothing exports the same bytes once it has applied them; the home itself would change nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = a_home(folder / "first", access)
        rows = [("main" if number else "other", tenant) for number, tenant in enumerate(named(tenants))]
        kept = [_channel(each, channel) for each, channel in sorted(channels.items())]
        document = present_document(home, rows, named(tasks, tenants), limits, kept)
        text = written(document)
        assert "s3cret" not in text
        assert "sealed" not in text
        again = read_document(text, "t.toml", expand_none)
        assert find_difference(document, again, remove_absent=True).changes == ()
        second = folder / "second"
        second.mkdir()
        _put_secrets(document, second)
        assert written(applied_to_nothing(text, second)) == text


def _put_secrets(document: Document, folder: Path) -> None:
    """What the export names, and nobody but the administrator has."""
    for tables in document.values():
        for table in tables.values():
            for key in ("client_secret_file", "password_file", "url_file", "authorization_file"):
                if key in table:
                    (folder / table[key]).write_text("https://s3cret.example\n")


def test_every_field_of_a_task_is_in_the_file() -> None:
    """A field that is added to tasks is configuration, unless it is named here."""
    known = {name for name, _ in TASK_FIELDS.values()}
    assert set(Task.__struct_fields__) - known == {"name", "created_at", "former_names"}
