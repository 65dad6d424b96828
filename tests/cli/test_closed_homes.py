"""The command line of somebody who may not read the files of the home, and asks its engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from msgspec.structs import replace

from tests.cli.conftest import Tuiback
from tests.cli.seed import MAILBOX
from tuiback.cli.engaging import secret_source
from tuiback.engine.asking import Peer, Role
from tuiback.engine.home import HOME_FILE, Home
from tuiback.engine.hosting.host import EngineHost
from tuiback.engine.hosting.reception import Reception

GROUPS = {Role.VIEWER: 70001, Role.OPERATOR: 70002, Role.ADMIN: 70003}


class Visitor:
    """Whoever asks: a user of another one's home."""

    def __init__(self) -> None:
        self.peer = Peer(4711, 70100, frozenset({100}))

    def becomes(self, role: Role) -> None:
        """From now on a member of that role's group."""
        self.peer = replace(self.peer, groups=frozenset({GROUPS[role]}))


@pytest.fixture
def visitor(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """Somebody for whom home.json is closed, and an engine that lets in who has a role."""
    somebody, opened = Visitor(), Path.open
    home = Home.open(seeded)
    reception = Reception(home, peer=lambda _: somebody.peer, groups=lambda _: GROUPS)
    engine = EngineHost(home, "serve", secret_source(), reception)
    engine.wait_until_ready()

    def open_other_files(path: Path, *given: Any, **named: Any) -> IO[Any]:
        if path.name == HOME_FILE:
            raise PermissionError(13, "Permission denied", str(path))
        handle: IO[Any] = opened(path, *given, **named)
        return handle

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_other_files)
        yield somebody
    engine.close()


def test_a_viewer_sees_how_things_stand_and_nothing_else(tuiback: Tuiback, seeded: Path, visitor: Visitor) -> None:
    """What the engine shows; not one item, and no command: the refusal is one error with its exit code."""
    visitor.becomes(Role.VIEWER)
    status = tuiback("--json", "--home", seeded, "status")
    assert (status.code, status.document["engine"]["host"]) == (0, "serve")
    assert tuiback("--home", seeded, "task", "list").code == 0
    assert tuiback("--home", seeded, "status", "--monitor").code in (0, 1, 2)
    for verb in (("run", "--all"), ("limits", "--files", "3"), ("export", MAILBOX, "--to", "/tmp/x"), ("prune",)):
        refused = tuiback("--json", "--home", seeded, *verb)
        assert (refused.code, refused.document["code"]) == (5, "not_allowed")
        assert "viewer" in refused.err
    for verb in (("ls", MAILBOX), ("cat", MAILBOX, "/x"), ("search", "hello"), ("audit",), ("key", "list")):
        closed = tuiback("--home", seeded, *verb)
        assert closed.code == 7
        assert "others ask its engine" in closed.err


def test_an_operator_brings_back_what_is_named(tuiback: Tuiback, seeded: Path, visitor: Visitor) -> None:
    """The engine finds the items; what an admin decides is refused, and where nobody may export to."""
    visitor.becomes(Role.OPERATOR)
    assert tuiback("--json", "--home", seeded, "limits", "--files", "3").document["files"] == 3
    checked = tuiback("--json", "--home", seeded, "check")
    assert (checked.code, checked.document["ok"], checked.document["damaged"]) == (0, True, 0)
    assert tuiback("--home", seeded, "check", "--repair").code == 7
    unnamed = tuiback("--home", seeded, "export", MAILBOX, "--to", seeded.parent / "out")
    assert unnamed.code == 5
    assert "access.export_folder" in unnamed.err
    assert not (seeded.parent / "out").exists()
    assert tuiback("--home", seeded, "task", "remove", "mail", "--data", "keep").code == 5
    visitor.becomes(Role.ADMIN)
    assert tuiback("--home", seeded, "export", MAILBOX, "@inbox", "--to", seeded.parent / "out").code == 0
    assert len(list((seeded.parent / "out").rglob("*.eml"))) == 1
