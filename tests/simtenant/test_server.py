"""The tenant is served in the foreground until a signal, and from threads side by side."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.simtenant.caller import Caller
from tuiback.simtenant import Plan, Server

PROGRAM = """
import dataclasses, json
from tuiback.simtenant import Plan, run
plan = Plan(users=1, messages=1, files_per_user=1)
run(plan, 0, lambda ends: print(json.dumps(dataclasses.asdict(ends)), flush=True))
print("over", flush=True)
"""


def test_foreground_ends_well_on_sigterm() -> None:
    """The first line tells the endpoints, requests are answered, SIGTERM ends with 0 even under an open connection."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ends = json.loads(process.stdout.readline())
        with httpx.Client() as client:
            assert client.get(ends["control_url"] + "/stats").json()["requests"] == 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        assert process.stdout.read() == "over\n"


def test_two_servers_are_two_tenants() -> None:
    """What is written in one is not in the other, and a seed gives the same tenant again."""
    plan = Plan(users=1, messages=2, files_per_user=1, seed=9)
    with Server(plan) as one, Server(plan) as two, Caller(one.endpoints) as first, Caller(two.endpoints) as second:
        assert one.endpoints.graph_url != two.endpoints.graph_url
        assert first.users() == second.users()
        first.post(f"/users/{first.users()[0]}/mailFolders", {"displayName": "Mine"})
        mine, others = (
            {each["displayName"] for each in caller.walk(f"/users/{caller.users()[0]}/mailFolders")[0]}
            for caller in (first, second)
        )
        assert mine - others == {"Mine"}


def test_a_customers_mail_is_served_byte_for_byte(tmp_path: Path) -> None:
    """Line ends, odd bytes and broken headers come back from $value as they lie in the files."""
    raws = [b"Subject: a\r\n\r\nx\r\n", b"Subject: b\n\nx\n", b"\xff\xfe broken\rmail", b""]
    for number, raw in enumerate(raws):
        (tmp_path / f"{number}.eml").write_bytes(raw)
    with Server(Plan(users=2, mail=tmp_path, files_per_user=0)) as server, Caller(server.endpoints) as caller:
        served = [
            caller.send("GET", f"/users/{user}/messages/{message['id']}/$value").content
            for user in caller.users()
            for message in caller.messages(user)
        ]
    assert sorted(served) == sorted(raws)


def test_links_name_the_host_that_was_asked() -> None:
    """The nextLink and download URLs carry the host of the request."""
    with Server(Plan(users=2, messages=1, files_per_user=2)) as server, Caller(server.endpoints) as caller:
        headers = {"Host": "graph.example:81"}
        page = caller.get("/users?$top=1", headers=headers)
        assert page["@odata.nextLink"].startswith("http://graph.example:81/v1.0/users?")
        drive = f"/users/{caller.users()[0]}/drive"
        items = caller.get(drive + "/root/delta", headers=headers)["value"]
        links = [each["@microsoft.graph.downloadUrl"] for each in items if "file" in each]
        assert all(link.startswith("http://graph.example:") for link in links)


def test_latency_holds_requests_open_together() -> None:
    """With latency several requests are in flight at once, which the counts show."""
    plan = Plan(users=1, messages=1, files_per_user=1, latency_seconds=0.2)
    with Server(plan) as server, Caller(server.endpoints) as caller, ThreadPoolExecutor(3) as pool:
        assert {reply.status_code for reply in pool.map(lambda _: caller.send("GET", "/users"), range(3))} == {200}
        assert caller.control("/stats")["in_flight_max"] > 1
