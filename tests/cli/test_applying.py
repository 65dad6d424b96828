"""The configuration as one file: applied, exported, compared, and refused where it is wrong."""

import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.cli.engaging import secret_source
from tuiback.engine.home import Home
from tuiback.engine.hosting.host import EngineHost
from tuiback.engine.settings.channels import Channels, PingChannel, SmtpChannel

FILE = """
version = 1

[limits]
accounts = 12

[tenants.acme]
tenant_id = "7c0a2d1e-1111-4222-8333-444455556666"
client_id = "c"
client_secret_file = "secret"

[notify.admins]
kind = "smtp"
host = "mail.acme.example"
sender = "nas@acme.example"
to = ["it@acme.example"]
user = "nas"
password_file = "secret"

[tasks.mail]
tenant = "acme"
service = "exchange"
all = true
exclude = ["@leavers"]
mode = "scheduled"
cron = "0 22 * * *"
tz = "Europe/Berlin"
keep = "7d,4w,12m,3y"

[tasks.sales-files]
tenant = "acme"
service = "onedrive"
groups = ["Sales"]
exclude_paths = ["*.iso", "Temp/"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a tenant and two tasks, with what it names beside it."""
    (tmp_path / "secret").write_text("s3cret-value\n")
    (tmp_path / "leavers").write_text("eve@acme.example\n\nadam@acme.example\n")
    path = tmp_path / "tuiback.toml"
    path.write_text(FILE)
    return path


def test_apply_makes_it_so_once(tuiback: Tuiback, home: Path, file: Path) -> None:
    """Dry, it only tells; then everything is made; a second time nothing changes."""
    line = ("--json", "--home", home, "apply", file)
    wanted = ["limits", "tenants.acme", "tasks.mail", "tasks.sales-files", "notify.admins"]
    dry = tuiback(*line, "--dry-run").document
    assert (dry["changed"], dry["edited"] + dry["added"], dry["unchanged"]) == (True, wanted, [])
    assert tuiback("--json", "--home", home, "task", "list").document["tasks"] == []
    made = tuiback(*line).document
    assert {key: made[key] for key in ("added", "edited", "removed")} == {
        "added": wanted[1:], "edited": ["limits"], "removed": [],
    }  # fmt: skip
    again = tuiback(*line).document
    assert (again["changed"], sorted(again["unchanged"])) == (False, sorted(wanted))
    task = tuiback("--json", "--home", home, "task", "show", "mail").document
    assert task["exclude"] == ["eve@acme.example", "adam@acme.example"]
    assert (task["cron"], task["keep"], task["next_run_at"]) == ("0 22 * * *", "7d,4w,12m,3y", None)
    files = tuiback("--json", "--home", home, "task", "show", "sales-files").document
    assert (files["groups"], files["exclude_paths"], files["everything"]) == (["Sales"], ["*.iso", "Temp/"], False)
    assert tuiback("--json", "--home", home, "limits").document["accounts"] == 12


def test_what_is_exported_changes_nothing(tuiback: Tuiback, home: Path, file: Path, tmp_path: Path) -> None:
    """The exported file holds every field and no secret, and is what the home is; another home becomes the same."""
    assert tuiback("--home", home, "apply", file).code == 0
    written = tmp_path / "out.toml"
    told = tuiback("--json", "--home", home, "export-config", written).document
    assert {key: told[key] for key in ("tenants", "tasks")} == {"tenants": 1, "tasks": 2}
    assert "s3cret" not in written.read_text()
    tables = tomllib.loads(written.read_text())
    assert tables["tasks"]["mail"]["mode"] == "scheduled"
    assert (tables["notify"]["admins"]["port"], tables["notify"]["admins"]["to"]) == (587, ["it@acme.example"])
    assert tables["tasks"]["mail"]["paused"] is False
    assert set(tables["tasks"]["mail"]) == set(tables["tasks"]["sales-files"])
    applied = tuiback("--json", "--home", home, "apply", written).document
    assert applied["changed"] is False
    assert tuiback("--home", home, "export-config", "-").out == written.read_bytes()


def test_a_readable_difference(tuiback: Tuiback, home: Path, file: Path) -> None:
    """People see a line for each table and key; tasks left out go only when that is asked for."""
    assert tuiback("--home", home, "apply", file).code == 0
    text = FILE.replace('keep = "7d,4w,12m,3y"', 'keep = "365d"\npaused = true').replace(', "Temp/"', "")
    file.write_text(text.replace("sales-files", "other-files"))
    shown = tuiback("--home", home, "apply", file, "--remove-absent", "--dry-run").out.decode().splitlines()
    assert shown == [
        "~ tasks.mail", "    paused: no -> yes", "    keep: '7d,4w,12m,3y' -> '365d'", "+ tasks.other-files",
        "- tasks.sales-files",
    ]  # fmt: skip
    assert tuiback("--json", "--home", home, "apply", file).document["removed"] == []
    rows = tuiback("--json", "--home", home, "task", "list").document["tasks"]
    assert {row["name"]: row["state"] for row in rows} == {"mail": "PAUS", "other-files": "IDLE", "sales-files": "IDLE"}
    assert tuiback("--json", "--home", home, "apply", file, "--remove-absent").document["removed"] == [
        "tasks.sales-files"
    ]
    assert len(tuiback("--json", "--home", home, "task", "list").document["tasks"]) == 2


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[tasks.mail]", "[tasks.mail", "is no TOML"),
        ('keep = "7d', 'keeps = "7d', "[tasks.mail] keeps: there is no such key"),
        ("all = true", 'all = "yes"', "[tasks.mail] all: Expected `bool`, got `str`"),
        ("7d,4w", "7x,4w", "[tasks.mail] keep: '7x,4w,12m,3y'"),
        ("0 22 * * *", "61 * * * *", "[tasks.mail] cron: '61 * * * *'"),
        ("Europe/Berlin", "Europe/Nowhere", "[tasks.mail] tz: 'Europe/Nowhere' there is no such time zone"),
        ('"onedrive"', '"fax"', "[tasks.sales-files] service: 'fax' is not known"),
        ('groups = ["Sales"]', "", "[tasks.sales-files] names no account"),
        ("@leavers", "@nobody", "[tasks.mail] exclude:"),
        ("client_id", "client", "[tenants.acme] client: there is no such key"),
        ('client_secret_file = "secret"', "", "[tenants.acme] client_secret_file: is missing"),
        ('kind = "smtp"', 'kind = "pigeon"', "[notify.admins] kind: 'pigeon' is no kind of channel"),
        ('user = "nas"', 'every_seconds = 5', "[notify.admins] every_seconds: a channel of kind smtp has no such key"),
        ('password_file = "secret"', "", "[notify.admins] password_file: is missing"),
        ("version = 1", "version = 2", "version"),
        ("[limits]", "[limit]", "[limit] is no table"),
    ],
)
def test_errors_name_file_table_and_key(
    tuiback: Tuiback, home: Path, file: Path, before: str, after: str, words: str
) -> None:
    """Each mistake is one line that says where it is, and nothing is applied."""
    assert before in FILE
    file.write_text(FILE.replace(before, after))
    ended = tuiback("--home", home, "apply", file)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert str(file) in ended.err
    assert words in ended.err
    assert tuiback("--json", "--home", home, "tenant", "list").document["tenants"] == []


def test_channels_keep_their_secrets(tuiback: Tuiback, home: Path, file: Path, tmp_path: Path) -> None:
    """An edit changes what the file says and nothing else; an address that is a secret comes from a file."""
    assert tuiback("--home", home, "apply", file).code == 0
    (tmp_path / "address").write_text("https://ping.example/s3cret-path\n")
    ping = '\n[notify.alive]\nkind = "ping"\nurl_file = "address"\nevery_seconds = 60\n'
    file.write_text(FILE.replace('"it@', '"ops@').replace('password_file = "secret"\n', "") + ping)
    made = tuiback("--json", "--home", home, "apply", file).document
    assert (made["edited"], made["added"]) == (["notify.admins"], ["notify.alive"])
    smtp, alive = Channels(home).all()
    assert isinstance(smtp, SmtpChannel)
    assert (smtp.to, smtp.password, smtp.port) == (("ops@acme.example",), "s3cret-value", 587)
    assert isinstance(alive, PingChannel)
    assert (alive.url, alive.every_seconds) == ("https://ping.example/s3cret-path", 60)
    assert "s3cret" not in tuiback("--home", home, "export-config", "-").out.decode()
    assert tuiback("--json", "--home", home, "apply", file).document["changed"] is False


def test_what_cannot_be_changed(tuiback: Tuiback, home: Path, file: Path) -> None:
    """A task's tenant and service, a tenant's repository, and where a repository lies."""
    assert tuiback("--home", home, "apply", file).code == 0
    for text, words in (
        (FILE.replace('"onedrive"', '"exchange"'), "[tasks.sales-files] service: can't be changed"),
        (FILE.replace('client_id = "c"', 'client_id = "c"\nrepository = "else"'), "[tenants.acme] repository"),
        (FILE + '[repositories.main]\nurl = "/elsewhere"\n', "[repositories.main] url"),
    ):
        file.write_text(text)
        ended = tuiback("--home", home, "apply", file)
        assert (ended.code, words in ended.err) == (2, True), ended.err
    file.write_text(FILE.replace('client_id = "c"', 'client_id = "d"'))
    assert tuiback("--json", "--home", home, "apply", file).document["edited"] == ["tenants.acme"]


def test_forty_tasks_of_five_thousand_people(tuiback: Tuiback, home: Path, file: Path, tmp_path: Path) -> None:
    """They are one commit, and the list comes back whole."""
    names = [f"user{number}@acme.example" for number in range(5000)]
    tables = []
    for number in range(40):
        (tmp_path / f"part{number}").write_text("\n".join(names[number * 125 : (number + 1) * 125]))
        tables.append(
            f'[tasks.part-{number}]\ntenant = "acme"\nservice = "exchange"\naccounts = ["@part{number}"]\n'
        )
    assert tuiback("--home", home, "apply", file).code == 0
    commits = len(list((home / "repository" / "commits").rglob("*")))
    many = tmp_path / "many.toml"
    many.write_text("\n".join(tables))
    made = tuiback("--json", "--home", home, "apply", many).document
    assert len(made["added"]) == 40
    # One commit of the tasks, one of the audit.
    assert len([path for path in (home / "repository" / "commits").rglob("*") if path.is_file()]) <= commits + 2
    assert tuiback("--json", "--home", home, "apply", many).document["changed"] is False


def test_a_lost_home_is_made_again_from_its_file(
    tuiback: Tuiback, home: Path, file: Path, tmp_path: Path
) -> None:
    """A new home in its place, the secrets put where the file names them: apply, and the export is the same bytes."""
    (tmp_path / "hook").write_text("https://hook.example/s3cret\n")
    url, key = tmp_path / "second", tmp_path / "second.key"
    file.write_text(
        FILE.replace('client_id = "c"', 'client_id = "c"\nrepository = "second"').replace(
            "accounts = 12", 'accounts = 12\nrate = "mon-fri 08-18 20mbit; 100mbit"\ntz = "Europe/Berlin"'
        )
        + f'[repositories.second]\nurl = "{url}"\nkey_file = "{key}"\n'
        + '[access]\noperator = "helpdesk"\nexport_folder = "/exports"\n'
        + '[notify.chat]\nkind = "webhook"\nurl_file = "hook"\n'
    )
    made = tuiback("--json", "--home", home, "apply", file).document
    assert {"repositories.second", "notify.chat"} <= set(made["added"])
    assert set(made["edited"]) == {"limits", "access"}
    written = tmp_path / "out.toml"
    assert tuiback("--home", home, "export-config", written).code == 0
    tables = tomllib.loads(written.read_text())
    assert tables["tenants"]["acme"]["client_secret_file"] == "acme.client-secret"
    assert tables["notify"]["chat"] == {"kind": "webhook", "url_file": "chat.url"}
    home.rename(tmp_path / "old home")
    url.rename(tmp_path / "old second")
    assert tuiback("init", "--home", home, "--key-file", tmp_path / "tuiback.key").code == 0
    missing = tuiback("--home", home, "apply", written)
    assert (missing.code, str(tmp_path / "acme.client-secret") in missing.err) == (7, True)
    for name in ("acme.client-secret", "admins.password", "chat.url"):
        (tmp_path / name).write_text("https://chat.example/s3cret\n")
    assert tuiback("--json", "--home", home, "apply", written).document["changed"] is True
    assert tuiback("--home", home, "export-config", "-").out == written.read_bytes()
    assert tuiback("--json", "--home", home, "apply", written, "--remove-absent").document["changed"] is False
    assert "s3cret" not in written.read_text()
    names = [each["name"] for each in tuiback("--json", "--home", home, "repository", "list").document["repositories"]]
    assert names == ["main", "second"]


def test_channels_and_limits_go_back_to_what_the_file_says(tuiback: Tuiback, home: Path, file: Path) -> None:
    """What it leaves out has its default, and with --remove-absent is gone."""
    assert tuiback("--home", home, "apply", file).code == 0
    assert tuiback("--home", home, "limits", "--files", "3", "--rate", "20mbit").code == 0
    differences = tuiback("--json", "--home", home, "apply", file).document["differences"]
    assert {each["key"]: (each["before"], each["after"]) for each in differences} == {
        "files": (3, 20), "rate": ("20mbit", ""),
    }  # fmt: skip
    file.write_text(FILE[: FILE.index("[notify.admins]")] + FILE[FILE.index("[tasks.mail]") :])
    assert tuiback("--json", "--home", home, "apply", file).document["changed"] is False
    assert tuiback("--json", "--home", home, "apply", file, "--remove-absent").document["removed"] == ["notify.admins"]
    assert Channels(home).all() == ()


def test_no_repository_is_added_under_an_engine(tuiback: Tuiback, home: Path, file: Path) -> None:
    """It would not know it: nothing is changed."""
    engine = EngineHost(Home.open(home), "serve", secret_source())
    try:
        engine.wait_until_ready()
        file.write_text(FILE + f'[repositories.second]\nurl = "{home.parent / "second"}"\n')
        ended = tuiback("--home", home, "apply", file)
    finally:
        engine.close()
    assert (ended.code, "while an engine runs" in ended.err) == (5, True)
    assert list(Home.open(home).repositories) == ["main"]
