"""`tenant register`: from an administrator's code to the first backup, and consent that comes later."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.administrator import Administrator
from tests.cli.conftest import Tuiback
from tests.warm import Warm
from tuiback.simtenant import Plan, Server

pytestmark = pytest.mark.usefixtures("ready_keys")
LIMIT_SECONDS = 60
CODE = re.compile(r"open (\S+) and enter the code (\S+) within 15 min")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A tenant that is quick."""
    plan = Plan(users=1, messages=2, files_per_user=1, replication_seconds=0, device_interval_seconds=1)
    with Server(plan) as served:
        yield served


class Verb:
    """A verb in a process of its own, in which an administrator enters the code that it shows."""

    def __init__(self, home: Path, admin: Administrator, *arguments: str) -> None:
        pipe = subprocess.PIPE
        self.process = Warm("--json", "--home", str(home), *arguments, stdout=pipe, stderr=pipe)
        assert self.process.stderr is not None
        shown = self.process.stderr.readline().decode()
        found = CODE.search(shown)
        assert found is not None, shown
        assert admin.enter(found[1], found[2]).status_code == 200

    def end(self) -> "Verb":
        """Wait for its end."""
        with self.process:
            self.out, self.err = (told.decode() for told in self.process.communicate(timeout=LIMIT_SECONDS))
        self.code = self.process.returncode
        return self

    @property
    def document(self) -> dict[str, Any]:
        """What it answered."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def register(server: Server, name: str, *more: str) -> list[str]:
    """The line that registers an app in the simulated tenant."""
    at = server.endpoints
    place = ["--cloud", "custom", "--graph-url", at.graph_url, "--authority", at.authority]
    return ["tenant", "register", name, *place, *more]


def listed(tuiback: Tuiback, home: Path) -> dict[str, dict[str, Any]]:
    """The tenants by name."""
    rows = tuiback("--json", "--home", home, "tenant", "list").document["tenants"]
    return {row["name"]: row for row in rows}


def add_task(tuiback: Tuiback, home: Path) -> None:
    """A task for all mail."""
    line = ["task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all"]
    assert tuiback("--home", home, *line).code == 0


def test_register_and_back_up(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """A code, an administrator, and the tenant can be backed up; a second app for files is warned of."""
    verb = Verb(home, admin, *register(server, "acme")).end()
    assert verb.code == 0, verb.err
    assert verb.document | {"client_id": ""} == {
        "schema": "tuiback.tenant-register/1", "name": "acme", "tenant_id": server.endpoints.tenant_id,
        "client_id": "", "consent_url": None,
    }  # fmt: skip
    row = listed(tuiback, home)["acme"]
    assert (row["consent"], row["credential"]["kind"]) == ("granted", "certificate")
    add_task(tuiback, home)
    assert tuiback("--home", home, "run", "mail").code == 0
    assert tuiback("--home", home, "tenant", "check", "acme").code == 0
    second = Verb(home, admin, *register(server, "acme-files", "--service", "onedrive")).end()
    assert second.code == 0
    assert "one app serves all tasks" in second.err
    assert tuiback("--home", home, *register(server, "acme")).code == 2
    assert not [path for path in home.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def test_consent_comes_later(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """Until somebody consents runs are skipped with exit 8 and say why; then they go on by themselves."""
    verb = Verb(home, admin, *register(server, "acme", "--print-consent-url")).end()
    assert verb.code == 0, verb.err
    url = verb.document["consent_url"]
    assert listed(tuiback, home)["acme"]["consent"] == "waiting for consent"
    checked = tuiback("--json", "--home", home, "tenant", "check", "acme")
    assert (checked.code, checked.document["consent"]) == (8, "waiting for consent")
    assert checked.document["consent_url"] == url
    add_task(tuiback, home)
    skipped = tuiback("--json", "--home", home, "run", "mail")
    assert skipped.code == 8
    (run,) = skipped.document["runs"]
    assert (run["outcome"], run["error"]["what"]) == ("skipped", "waiting for consent")
    assert skipped.err.count("\n") == 1
    assert url in skipped.err
    admin.consent(url)
    admin.control("/clock", {"seconds": 5})
    assert tuiback("--home", home, "run", "mail").code == 0
    assert listed(tuiback, home)["acme"]["consent"] == "granted"


def test_a_failure_tells_no_secret_and_leaves_nothing(home: Path, server: Server, admin: Administrator) -> None:
    """When a step fails neither tokens nor keys are told, the app is gone from Entra, and no tenant was added."""
    body = {"error": {"code": "Request_BadRequest", "message": "no"}}
    admin.control("/fault", {"match": "POST .*/servicePrincipals", "status": 400, "times": -1, "body": body})
    verb = Verb(home, admin, *register(server, "acme"), "--debug").end()
    admin.control("/fault", {"clear": True})
    assert (verb.code, verb.document["code"]) == (1, "graph")
    assert not [word for word in ("eyJ", "PRIVATE", "BEGIN") if word in verb.out + verb.err]
    assert "tuiback-acme" not in admin.apps()


def test_an_interrupt_takes_the_app_back(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """Ctrl-C while Entra takes its time: exit 130, and no app without an owner stays."""
    body = {"error": {"code": "Request_ResourceNotFound", "message": "not yet"}}
    admin.control("/fault", {"match": "POST .*/servicePrincipals", "status": 404, "times": -1, "body": body})
    verb = Verb(home, admin, *register(server, "acme"))
    deadline = time.monotonic() + LIMIT_SECONDS
    while "tuiback-acme" not in admin.apps():
        assert time.monotonic() < deadline
    verb.process.send_signal(signal.SIGINT)
    assert verb.end().code == 130
    assert "tuiback-acme" not in admin.apps()
    assert listed(tuiback, home) == {}


def test_renewals(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """The app adds a second certificate by itself; with an administrator --remove-old removes the first two."""
    assert Verb(home, admin, *register(server, "acme", "--service", "exchange")).end().code == 0
    first = keys(admin)
    alone = tuiback("--json", "--home", home, "tenant", "renew", "acme")
    assert (alone.code, alone.document["removed"]) == (0, 0)
    second = keys(admin)
    assert first < second
    assert tuiback("--home", home, "tenant", "check", "acme").code == 0
    renewed = Verb(home, admin, "tenant", "renew", "acme", "--admin", "--remove-old").end()
    assert (renewed.code, renewed.document["removed"]) == (0, 2)
    (third,) = keys(admin)
    assert third not in second
    assert tuiback("--home", home, "tenant", "check", "acme").code == 0


def keys(admin: Administrator) -> set[str]:
    """The ids of the certificates of the app."""
    return {key["keyId"] for key in admin.apps()["tuiback-acme"]["keyCredentials"]}
