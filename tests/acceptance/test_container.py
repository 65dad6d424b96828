"""The container and compose files fit the project and each other; building them takes a machine with docker."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.program import Installation

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / ".container" / "Containerfile").read_text()
COMPOSE = (ROOT / ".container" / "compose.yaml").read_text()


def steps(word: str) -> list[str]:
    """The instructions of that kind, continued lines joined."""
    return re.findall(rf"(?m)^{word} (.*)$", CONTAINER.replace("\\\n", " "))


def test_what_is_copied_is_there_and_sent() -> None:
    """Each source of a COPY exists and is let through by .dockerignore; all that the build reads is among them."""
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for line in steps("COPY") if "--from" not in line for source in line.split()[:-1]}
    assert {source.split("/")[0] for source in copied} == sent == {
        "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "src", "themes",
    }  # fmt: skip
    assert all((ROOT / source).exists() for source in copied)


def test_it_is_not_run_by_root() -> None:
    """And every place that it writes to is a volume that compose gives it, owned by that user."""
    assert steps("USER") == ["${UID}:${GID}"]
    assert steps("ARG") == ["UID=1000", "GID=1000"]
    (volumes,) = (json.loads(line) for line in steps("VOLUME"))
    (made,) = (line.partition("install ")[2].split("tuiback")[0] for line in steps("RUN") if "useradd" in line)
    assert '--owner="$UID"' in made
    mounted = re.findall(r"(?m)^      - .*:(/\S+)$", COMPOSE)
    assert mounted == volumes == ["/var/lib/tuiback", "/repository", "/key"]
    assert all(volume in CONTAINER.partition("USER")[0] for volume in volumes)
    assert "dockerfile: .container/Containerfile" in COMPOSE
    assert "TUIBACK_HOME=/var/lib/tuiback" in CONTAINER


@pytest.mark.parametrize("there", [True, False])
def test_the_health_check_tells_well_from_ill(tmp_path: Path, there: bool) -> None:
    """Docker knows 0 and 1 only: a home without trouble is well, none at all is not."""
    if there:
        Installation(tmp_path).run("init", "--key-file", str(tmp_path / "key"))
    (command,) = (json.loads(line) for line in re.findall(r"(?m)^    CMD (\[.*\])$", CONTAINER))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TUIBACK_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (0 if there else 1), done
    assert done.stdout.startswith("TUIBACK OK" if there else "TUIBACK UNKNOWN")
