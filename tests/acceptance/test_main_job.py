"""The main job as a user runs it: back up real bytes, compare with another reader, fetch nothing twice."""

from pathlib import Path

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated


def test_backup_equals_the_tenant_and_a_second_run_fetches_nothing(tmp_path: Path, mail: Path, files: Path) -> None:
    """Every exported byte is what urllib reads; a second run asks each folder and drive once and fetches nothing."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "3") as tenant:
        installed = Installation(tmp_path / "nas", cold=True)
        installed.set_up(tenant)
        runs = installed.ask("run", "--all")["runs"]
        assert [r["outcome"] for r in runs] == ["ok", "ok"]
        plain = Plain(tenant)
        given = [p for p in (*mail.rglob("*"), *files.rglob("*")) if p.is_file()]
        assert compare_exports(installed, plain) == len(given)
        before = plain.control("stats")["by_route"]
        contents = content_requests(plain)
        runs = installed.ask("run", "--all")["runs"]
        assert [(r["outcome"], r["items_new"], r["bytes_read"]) for r in runs] == [("ok", 0, 0)] * 2
        assert content_requests(plain) == contents
        after = plain.control("stats")["by_route"]
        deltas = {k: after[k] - before.get(k, 0) for k in after if k.endswith("delta") and after[k] != before.get(k, 0)}
        folders = sum(len(list(plain._folders(u["id"]))) for u in plain.users())
        by_kind = {"messages": 0, "mailFolders": 0, "root": 0}
        for route, n in deltas.items():
            by_kind[route.rstrip("/").split("/")[-2]] += n
        assert by_kind == {"messages": folders, "mailFolders": 3, "root": 3}
