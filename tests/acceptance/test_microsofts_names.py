"""The unmodified program, told of nothing but a proxy and an authority, backs up what answers to Microsoft's names."""

import json
from pathlib import Path

from tests.acceptance.program import Installation, simulated


def test_a_global_tenant_through_a_proxy(tmp_path: Path) -> None:
    """`--cloud global`, a check and a run of both services: all of it goes to Microsoft's hosts by TLS."""
    capture = tmp_path / "capture.jsonl"
    size = ["--users", "2", "--messages", "4", "--files-per-user", "3"]
    with simulated(*size, "--tls", str(tmp_path / "tls"), "--capture", str(capture)) as tenant:
        installed = Installation(tmp_path / "here", environment=through(tenant, SSL_CERT_FILE=tenant["ca_file"]))
        set_up(installed, tenant)
        assert installed.ask("tenant", "check", "acme")["ok"] is True
        runs = installed.ask("run", "--all")["runs"]
        assert {run["task"]: run["outcome"] for run in runs} == {"exchange": "ok", "onedrive": "ok"}
        assert sum(run["items_new"] for run in runs) >= 14
    exchanges = [json.loads(line) for line in capture.read_text().splitlines()]
    hosts = {each["url"].split("/")[2] for each in exchanges}
    assert {"graph.microsoft.com", "login.microsoftonline.com"} < hosts
    assert all(host.endswith((".microsoft.com", ".microsoftonline.com", ".sharepoint.com")) for host in hosts)
    assert all(each["url"].startswith("https://") for each in exchanges)


def test_an_authority_that_nobody_named(tmp_path: Path) -> None:
    """Without the authority the sign-in stops there, and says which setting names it."""
    size = ["--users", "1", "--messages", "1", "--files-per-user", "1"]
    with simulated(*size, "--tls", str(tmp_path / "tls")) as tenant:
        installed = Installation(tmp_path / "here", environment=through(tenant))
        set_up(installed, tenant)
        refused = installed.ask("tenant", "check", "acme", code=1)
    assert refused["code"] == "unreachable"
    assert refused["remedy"] == "name your proxy's authority in SSL_CERT_FILE"


def through(tenant: dict[str, str], **more: str) -> dict[str, str]:
    """An environment that names the tenant's proxy, and no authority but those of `more`."""
    proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), tenant["proxy_url"])
    bare = dict.fromkeys(("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"), "")
    return {**proxy, **bare, **more}


def set_up(installed: Installation, tenant: dict[str, str]) -> None:
    """A home with the tenant in Microsoft's global cloud, and a task for each service."""
    installed.folder.mkdir(parents=True)
    secret = installed.folder / "secret"
    secret.write_text(tenant["client_secret"])
    installed.run("init", "--repository", installed.repository, "--key-file", str(installed.folder / "tuiback.key"))
    installed.run(
        "tenant", "add", "acme", "--tenant-id", tenant["tenant_id"], "--client-id", tenant["client_id"],
        "--client-secret-file", str(secret), "--cloud", "global",
    )  # fmt: skip
    for service in ("exchange", "onedrive"):
        installed.run("task", "add", service, "--tenant", "acme", "--service", service, "--all")
