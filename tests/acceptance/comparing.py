"""Compares what tuiback exports with what the second reader gets."""

import hashlib
from pathlib import Path

from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation


def hashes_of(folder: Path) -> list[str]:
    """The sha256 of every exported file, by the bytes that lie there."""
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != "tuiback-manifest.jsonl"]
    return sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in paths)


def compare_exports(installed: Installation, plain: Plain) -> int:
    """Export every account and compare with what urllib reads; the number of items."""
    count = 0
    for row in installed.rows("account", "list"):
        to = installed.folder / "export" / row["account_id"].replace(":", "-").replace("!", "-")
        installed.run("export", row["account_id"], "--to", str(to))
        user = next(u for u in plain.users() if u["userPrincipalName"].casefold() == row["address"].casefold())
        served = plain.mail(user["id"]) if row["kind"] == "mailbox" else plain.files(user["id"])
        assert hashes_of(to) == sorted(served.values())
        if row["kind"] == "drive":
            exported = {str(p.relative_to(to)) for p in to.rglob("*") if p.is_file()} - {"tuiback-manifest.jsonl"}
            assert exported == set(served)
        count += len(served)
    return count


def content_requests(plain: Plain) -> int:
    """How many contents the simulated tenant has served."""
    routes = plain.control("stats")["by_route"]
    return sum(n for route, n in routes.items() if route.endswith(("/$value", "/content")) or "download" in route)
