"""Who may ask an engine for what: roles by Unix groups, refusals that are told and audited, and doors for groups."""

import os
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.rig import SECRET, make_home
from tuiback.catalog import State
from tuiback.engine import commands
from tuiback.engine.archives.view import View
from tuiback.engine.asking import Asker, Peer, Role, groups_of, peer_of
from tuiback.engine.commands import Export, FindCoverage, PauseTask, PutTask, RunTasks, SetLimits
from tuiback.engine.home import Access, ClosedHome, Home
from tuiback.engine.hosting.attach import AttachedLink, attach
from tuiback.engine.hosting.glance import SOCKET, look
from tuiback.engine.hosting.host import EngineHost
from tuiback.engine.hosting.link import attach_or_host
from tuiback.engine.hosting.reception import Reception
from tuiback.engine.hosting.roles import LEAST, refusal_of, role_of
from tuiback.engine.log_file import log_path
from tuiback.errors import EnvironmentFault, NoSuchThing, NotAllowed

GROUPS = {Role.VIEWER: 70001, Role.OPERATOR: 70002, Role.ADMIN: 70003}
SOMEBODY = 70100
ACCESS = Access()


def member(*groups: int, uid: int = SOMEBODY) -> Peer:
    """A user of these groups."""
    return Peer(4711, uid, frozenset({100, *groups}))


def asker(role: Role) -> Asker:
    """Anna in a role."""
    return Asker("anna", SOMEBODY, "pts/1", role)


def test_every_command_has_a_least_role() -> None:
    """A new command must be thought about; the table names nothing that is no command."""
    assert set(LEAST) == set(get_args(commands.AnyCommand))


def test_the_highest_role_of_all_groups_counts() -> None:
    """Whoever is in none of the groups is a stranger; a role without a group on this machine is none."""
    assert role_of({100, 70001}, GROUPS) is Role.VIEWER
    assert role_of({70001, 70002}, GROUPS) is Role.OPERATOR
    assert role_of({70003, 70001}, GROUPS) is Role.ADMIN
    assert role_of({100}, GROUPS) is None
    assert role_of({70003}, {Role.VIEWER: 70001}) is None


def test_refusals_say_what_is_needed() -> None:
    """Who, what role, and which group to ask for; allowed is what the role covers."""
    refusal = refusal_of(PauseTask(task="mail", paused=True), asker(Role.VIEWER), ACCESS)
    assert refusal is not None
    assert str(refusal) == (
        "anna: pause needs the role operator, and anna has viewer; ask for the Unix group tuiback-operator"
    )
    assert (refusal.exit_code, refusal.code) == (5, "not_allowed")
    assert refusal_of(PauseTask(task="mail", paused=True), asker(Role.OPERATOR), ACCESS) is None
    assert refusal_of(FindCoverage(), asker(Role.VIEWER), ACCESS) is None
    unnamed = refusal_of(commands.Prune(), asker(Role.OPERATOR), Access(admin=""))
    assert unnamed is not None
    assert unnamed.remedy == "ask its owner"


def test_an_operator_exports_below_the_named_folder_only(tmp_path: Path) -> None:
    """The engine writes with its own rights: neither dots nor links lead it elsewhere; an admin may choose."""
    folder, outside = tmp_path / "exports", tmp_path / "etc"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    access = Access(export_folder=str(folder))

    def refused(to: Path, role: Role = Role.OPERATOR, rules: Access = access) -> bool:
        return refusal_of(Export(selections=(), to=str(to)), asker(role), rules) is not None

    assert not refused(folder / "anna")
    assert not refused(folder / "new" / "anna.zip")
    assert refused(outside)
    assert refused(folder / ".." / "etc")
    assert refused(folder / "link" / "x")
    assert refused(tmp_path / "exports-too")
    assert refused(folder / "anna", rules=ACCESS)
    assert not refused(outside, Role.ADMIN)


def test_a_peer_has_the_groups_of_its_process_and_user() -> None:
    """As the kernel and the user database know them."""
    here, there = socket.socketpair(socket.AF_UNIX)
    try:
        peer = peer_of(here)
    finally:
        here.close()
        there.close()
    assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())
    assert peer.groups >= {os.getegid(), *os.getgroups()}
    assert groups_of(replace(peer, groups=frozenset())) >= {os.getgid()}
    assert groups_of(member(70001)) == {100, 70001}


class Guest:
    """Whoever comes to the socket next."""

    def __init__(self) -> None:
        self.peer = member()

    def comes(self, *groups: int) -> None:
        """Somebody of these groups."""
        self.peer = member(*groups)


@pytest.fixture
def guest() -> Guest:
    """A stranger at first."""
    return Guest()


@pytest.fixture
def home(tmp_path: Path, guest: Guest) -> Iterator[Home]:
    """A home with an engine that takes everybody for the guest."""
    made = make_home(tmp_path)
    reception = Reception(made, peer=lambda _: guest.peer, groups=lambda _: GROUPS)
    engine = EngineHost(made, "serve", lambda _: SECRET, reception)
    engine.wait_until_ready()
    yield made
    engine.close()


@pytest.fixture
def come(home: Home, guest: Guest) -> Iterator[Callable[..., AttachedLink]]:
    """Attaches as a member of these groups."""
    links: list[AttachedLink] = []

    def attached(*groups: int) -> AttachedLink:
        guest.comes(*groups)
        link = attach(home.path)
        assert link is not None
        links.append(link)
        return link

    yield attached
    for link in links:
        link.close()


def test_each_role_may_what_it_may(home: Home, come: Callable[..., AttachedLink]) -> None:
    """A viewer sees, an operator works, an admin changes; what is refused is audited by the name of who asked."""
    viewer, operator, admin = come(70001), come(70002), come(70003)
    assert [link.role for link in (viewer, operator, admin)] == ["viewer", "operator", "admin"]
    picture = look(home.path)
    assert picture is not None
    with pytest.raises(NotAllowed, match="needs the role operator"):
        viewer.submit(SetLimits(accounts=3, reason="because I want")).result(20)
    assert operator.submit(SetLimits(accounts=3)).result(20)["accounts"] == 3
    with pytest.raises(NotAllowed, match="needs the role admin"):
        operator.submit(PutTask(name="mail", tenant="acme", service="exchange")).result(20)
    with pytest.raises(NotAllowed, match="needs the role operator"):
        viewer.submit(RunTasks()).result(20)
    with pytest.raises(NoSuchThing, match="no such tenant"):
        admin.submit(PutTask(name="mail", tenant="acme", service="exchange")).result(20)
    state = State.open(home.state_path("main"))
    entries = [entry for entry in state.audit_entries() if "failed" not in entry.detail]
    state.close()
    assert {entry.who for entry in entries} == {str(SOMEBODY)}
    told = [(entry.action, "refused" in entry.detail) for entry in entries]
    assert told == [("limits", True), ("limits", False), ("put-task", True), ("run", True), ("put-task", False)]
    assert entries[0].reason == "because I want"
    assert entries[0].origin.startswith("process 4711")


def test_strangers_are_told_and_left(home: Home, guest: Guest) -> None:
    """They get neither pictures nor answers, and the engine says that somebody came."""
    guest.comes()
    with pytest.raises(NotAllowed, match="members of its groups"):
        attach(home.path)
    with pytest.raises(NotAllowed):
        look(home.path)
    assert f'"{SOMEBODY}"' in log_path(home.path).read_text()


def test_the_door_is_for_the_groups_and_all_else_stays_private(home: Home) -> None:
    """By access control lists: the groups pass the folder and use the socket; files, new ones too, are the owner's."""
    if "system.posix_acl_access" not in os.listxattr(home.path):
        pytest.skip("the file system of the tests keeps no access control lists")
    assert home.path.stat().st_mode & 0o777 == 0o710
    # With a list the group bits are its mask: what any group may at most.
    assert (home.path / SOCKET).stat().st_mode & 0o777 == 0o660
    umask = os.umask(0o022)
    try:
        (home.path / "new").touch()
    finally:
        os.umask(umask)
    others = [path for path in home.path.iterdir() if path.name != SOCKET]
    assert len(others) > 3
    assert not [path for path in others if path.stat().st_mode & 0o077]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_real_users_of_real_groups(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another user comes in by the group and by nothing else, can't read a file of the home, and may not overdo it."""
    # What pytest makes is for root only.
    top = tmp_path_factory.getbasetemp().parent
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(top):
            folder.chmod(folder.stat().st_mode | 0o011)
        elif not folder.stat().st_mode & 0o001:
            pytest.skip(f"nobody else can get to the folder of the tests through {folder}")
    made = make_home(tmp_path)
    # They begin before there is a thread that could hold a lock while they are forked.
    users = [Somebody(made.path, groups) for groups in ([70001], [70002], [70009])]
    engine = EngineHost(made, "serve", lambda _: SECRET, Reception(made, groups=lambda _: GROUPS))
    engine.wait_until_ready()
    try:
        told = [user.told() for user in users]
        if "system.posix_acl_access" not in os.listxattr(made.path):
            pytest.skip("the file system of the tests keeps no access control lists")
        assert told == ["viewer: not_allowed", "operator: 7 files", "no engine"]
    finally:
        engine.close()


class Somebody:
    """A process of another user with these groups that looks what it finds at a home, once it is asked."""

    def __init__(self, home: Path, groups: list[int]) -> None:
        waiting, self._go = os.pipe()
        self._told, telling = os.pipe()
        with warnings.catch_warnings():
            # Newer Pythons warn of threads, of which the test runner has its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = os.fork()
        if self._child == 0:
            os.read(waiting, 1)
            os.setgroups(groups)
            os.setresgid(65534, 65534, 65534)
            os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
            try:
                told = found_at(home)
            except BaseException as e:  # noqa: BLE001 - the parent must hear of everything
                told = repr(e)
            os.write(telling, told.encode())
            os._exit(0)
        os.close(waiting)
        os.close(telling)

    def told(self) -> str:
        """What it found."""
        os.write(self._go, b"!")
        with os.fdopen(self._told) as file:
            told = file.read()
        os.close(self._go)
        os.waitpid(self._child, 0)
        return told


def found_at(home: Path) -> str:
    """The role here, and what becomes of a wish; files must be closed."""
    try:
        (home / "home.json").read_bytes()
    except PermissionError:
        pass
    else:
        return "home.json can be read"
    link = attach(home)
    if link is None:
        return "no engine"
    try:
        answer = link.submit(SetLimits(files=7)).result(20)
    except NotAllowed as refusal:
        return f"{link.role}: {refusal.code}"
    finally:
        link.close()
    return f"{link.role}: {answer['files']} files"


def test_a_closed_home_is_one_of_its_engine_only(tmp_path: Path) -> None:
    """Nothing of its files is known; that says what to do, and nobody tries to host an engine there."""
    closed = ClosedHome(tmp_path)
    with pytest.raises(EnvironmentFault, match="others ask its engine"):
        View(closed).tasks()
    with pytest.raises(EnvironmentFault, match="others ask its engine"):
        attach_or_host(closed, "run", lambda _: SECRET)
    assert msgspec.to_builtins(closed.access) == msgspec.to_builtins(ACCESS)
