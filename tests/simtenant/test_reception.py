"""Requests are charged to whoever sent them, also where they carry no token."""

import json

import pytest

from tuiback.simtenant import Plan
from tuiback.simtenant.api.call import Call, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.storage import resolve_storage
from tuiback.simtenant.front import resolve_api
from tuiback.simtenant.reception import Counts, Orders, Reception
from tuiback.simtenant.throttling.charges import Charge
from tuiback.simtenant.throttling.gate import Admission, Gate
from tuiback.simtenant.throttling.table import Measure, Service

ROOT = "http://host:1"


class Spy(Gate):
    """Lets everything in and remembers who paid."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0, 1)
        self.charges: list[Charge] = []

    def admit(self, charge: Charge) -> Admission:
        """Note the charge."""
        self.charges.append(charge)
        return Admission()


class Bench:
    """One tenant without sockets."""

    def __init__(self) -> None:
        self.cloud = Cloud(Plan(users=1, messages=4, files_per_user=1))
        self.cloud.storage_ports = {"http": 2}
        self.cloud.gate = self.gate = Spy()
        plan = self.cloud.plan
        token = self.cloud.signin.tokens.for_application(plan.client_id, plan.roles)
        self._token = {"authorization": f"Bearer {token}"}
        self._hosts = {
            name: Reception(self.cloud, Counts(), Orders(), resolve)
            for name, resolve in (("api", resolve_api), ("storage", resolve_storage))
        }

    def api(self, method: str, path: str, document: object = None) -> dict[str, str]:
        """The JSON that Graph answers."""
        reply = self._send("api", method, f"/v1.0{path}", json.dumps(document).encode(), self._token)
        found: dict[str, str] = json.loads(reply.body)
        return found

    def storage(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        """What the host of uploads and imports answers, without a token."""
        return self._send("storage", method, "/" + url.partition("//")[2].partition("/")[2], body, headers)

    def _send(self, host: str, method: str, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        path, _, query = url.partition("?")
        return self._hosts[host].take(Call(method, ROOT, path, query, headers, body)).reply


@pytest.fixture
def bench() -> Bench:
    """A tenant whose gate tells who paid."""
    return Bench()


def test_fragments_of_attachments_count_in_the_mailbox(bench: Bench) -> None:
    """Their bytes are the mailbox's, paid by the application that opened the session."""
    user = bench.cloud.tenant.company.people[0].object_id
    made = bench.api("POST", f"/users/{user}/messages", {"subject": "x"})["id"]
    item = {"AttachmentItem": {"attachmentType": "file", "name": "a", "size": 10}}
    url = bench.api("POST", f"/users/{user}/messages/{made}/attachments/createUploadSession", item)["uploadUrl"]
    assert bench.storage("PUT", url, b"0123456789", {"content-range": "bytes 0-9/10"}).status == 201
    paid = bench.gate.charges[-1]
    assert (paid.service, paid.mailbox, paid.app_id) == (Service.OUTLOOK, user, bench.cloud.plan.client_id)
    assert paid.amounts[Measure.BYTES_IN] == 10


def test_imports_count_in_the_mailbox(bench: Bench) -> None:
    """Mailbox ids and user ids lead to one and the same budget."""
    user = bench.cloud.tenant.company.people[0].object_id
    mailbox = bench.api("GET", f"/users/{user}/settings/exchange")["primaryMailboxId"]
    url = bench.api("POST", f"/admin/exchange/mailboxes/{mailbox}/createImportSession")["importUrl"]
    assert bench.storage("POST", url, b"{}", {}).status == 400
    assert {charge.mailbox for charge in bench.gate.charges} == {user}
    assert {charge.app_id for charge in bench.gate.charges} == {bench.cloud.plan.client_id}
