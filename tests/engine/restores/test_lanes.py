"""Exports with processes that help: the same files, manifest and errors as without, whatever becomes of the helpers."""

import asyncio
import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.cloud import Mailbox
from tests.engine.rig import SECRET, Rig, make_home
from tuiback.catalog import CatalogReader
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.restores import ahead, lanes, settling, slices
from tuiback.engine.restores.beside import Opening
from tuiback.engine.restores.export import Exporter, Names
from tuiback.engine.restores.helper import Helper
from tuiback.engine.restores.lanes import HelpFrom
from tuiback.engine.restores.opening import open_target
from tuiback.engine.restores.settling import Settling
from tuiback.engine.restores.slices import ExportReport, Slice, Written
from tuiback.engine.restores.targets import MANIFEST, Content, FolderPlace, FolderTarget, Target
from tuiback.errors import EnvironmentFault, StorageFull
from tuiback.model import FOLDER_KINDS
from tuiback.store import Reader

ROOT = Path(__file__).parents[3]
ACCOUNT = "mailbox:anna"
MAILS = 160
LONG = 1_300_000
DEADLINE_SECONDS = 30
NOBODY = HelpFrom(0)
ONE = HelpFrom(1, slices=1)


async def _fill(home: Home) -> None:
    rig = await Rig.open(home)
    box = rig.cloud.mailboxes["anna"] = Mailbox()
    for folder in range(4):
        box.add_folder(f"f{folder}", f"Folder {folder}")
    for number in range(MAILS):
        box.put(f"m{number}", f"f{number % 4}", f"Subject: {number % 50}\r\n\r\n".encode() + b"text " * number)
    # Not to be had in one piece, and not compressible.
    box.put("long", "f0", b"".join(hash_of(number) for number in range(LONG // 32)))
    await rig.run()
    await rig.archive.close()


def hash_of(number: int) -> bytes:
    """32 bytes that look random."""
    return hashlib.sha256(b"%d" % number).digest()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home and a repository with a mailbox of four folders."""
    folder = tmp_path_factory.mktemp("stored")
    asyncio.run(_fill(make_home(folder)))
    return folder


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices enough for everybody."""
    monkeypatch.setattr(slices, "_SLICE_ITEMS", 8)


class Idle(FolderTarget):
    """A folder to which this process writes only once it is let, so that the helpers come first."""

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        super().__init__(folder, overwrite=overwrite)
        self.let = threading.Event()

    def write(self, name: str, content: Content, modified: str) -> None:
        """See Target.write."""
        assert self.let.wait(DEADLINE_SECONDS)
        super().write(name, content, modified)


@dataclass
class Watch:
    """What the helpers of a test do; `answered` is called with each behind its first answer."""

    answered: Callable[["Watched"], None] = lambda _: None
    closed: Callable[["Watched"], None] = lambda _: None
    helpers: list["Watched"] = field(default_factory=list)


class Watched(Helper):
    """A helper whose slices are known."""

    watch = Watch()

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.watch.helpers.append(self)
        self.sent: list[Slice] = []
        self.answers = 0
        self.is_closed = False

    def send(self, planned: Slice) -> None:
        """See Helper."""
        self.sent.append(planned)
        super().send(planned)

    def receive(self) -> Written:
        """See Helper; the first answer is that it is ready."""
        written = super().receive()
        self.answers += 1
        if self.answers == 2:
            self.watch.answered(self)
        return written

    def close(self) -> None:
        """See Helper."""
        super().close()
        if not self.is_closed:
            self.is_closed = True
            self.watch.closed(self)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Have all helpers watched."""
    watch = Watch()
    monkeypatch.setattr(Watched, "watch", watch)
    monkeypatch.setattr(lanes, "Helper", Watched)
    return watch


class Source:
    """What an export reads from."""

    def __init__(self, stored: Path, repository: Path | None = None) -> None:
        home = Home.open(stored / "home")
        ref = home.repository("main")
        moved = replace(ref, url=str(repository or stored / "repository"))
        self.reader = CatalogReader(home.catalog_path("main"))
        self.content = Reader(open_repository(moved, SECRET, SystemClock(), to_write=False), self.reader)

    def export(self, target: Target, help_from: HelpFrom) -> ExportReport:
        """Export the mailbox."""
        exporter = Exporter(self.reader, self.content, target, "native", help_from)
        entries = (entry for entry in self.reader.stored_below(ACCOUNT, 1) if entry.kind not in FOLDER_KINDS)
        try:
            exporter.write_batch(entries, Names(self.reader, 1))
            exporter.finish()
        finally:
            if isinstance(target, Idle):
                target.let.set()
            exporter.close()
        return exporter.report


@pytest.fixture
def source(stored: Path) -> Iterator[Source]:
    """The mailbox."""
    source = Source(stored)
    yield source
    source.reader.close()


@pytest.fixture
def wanted(source: Source, tmp_path: Path) -> dict[str, bytes]:
    """What an export without help writes."""
    report = source.export(FolderTarget(tmp_path / "wanted", overwrite=False), NOBODY)
    assert (report.files, report.failed) == (MAILS + 1, 0)
    return tree(tmp_path / "wanted")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_helpers_write_the_same(source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch) -> None:
    """With two helpers that come first, every file and the manifest, in its order, are as without."""
    target = Idle(tmp_path / "out")
    watch.answered = lambda _: target.let.set()
    report = source.export(target, HelpFrom(2, slices=1))
    assert (report.files, report.failed) == (MAILS + 1, 0)
    assert tree(tmp_path / "out") == wanted
    assert len(watch.helpers) == 2
    assert any(helper.answers > 1 for helper in watch.helpers)


def test_what_opens_a_helper_does_not_show_the_keys(source: Source, tmp_path: Path) -> None:
    """They travel over the connection, and never into a message that somebody prints."""
    handed_over = source.content.repository.hand_over()
    opening = Opening(handed_over, "catalog.db", FolderPlace(str(tmp_path), overwrite=False))
    assert repr(handed_over)[2:-1] not in repr(opening)
    assert "catalog.db" in repr(opening)


def test_few_items_need_no_help(source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch) -> None:
    """An export that is shorter than the start of a process has none, nor has a .zip."""
    source.export(FolderTarget(tmp_path / "out", overwrite=False), HelpFrom(1, slices=MAILS))
    assert tree(tmp_path / "out") == wanted
    source.export(open_target(str(tmp_path / "out.zip"), overwrite=False), ONE)
    assert watch.helpers == []


def test_helpers_may_be_started_ahead(
    source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large export begins with them; those that it does not need, having few items after all, leave no process."""
    monkeypatch.setattr(ahead, "helpers_of_this_machine", lambda: 2)
    assert ahead.start_for(1) == ()
    started = ahead.start_for(100_000)
    target = Idle(tmp_path / "out")
    watch.answered = lambda _: target.let.set()
    source.export(target, HelpFrom(1, slices=1, ahead=started))
    assert tree(tmp_path / "out") == wanted
    assert [helper.pid for helper in watch.helpers] == [started[0].pid]
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


def test_a_killed_helper_costs_nothing(
    source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch
) -> None:
    """What it had in hand, half a file among it, is written again, each once in the manifest."""
    target = Idle(tmp_path / "out")

    def break_off(helper: Watched) -> None:
        """As if it had ended in the middle of a file of the first slice that it has not answered."""
        in_hand = helper.sent[helper.answers - 1][0].path
        (tmp_path / "out" / in_hand).write_bytes(wanted[in_hand][:5])
        target.let.set()

    watch.answered, watch.closed = kill, break_off
    report = source.export(target, ONE)
    assert (report.files, report.failed) == (MAILS + 1, 0)
    assert tree(tmp_path / "out") == wanted


def kill(helper: Watched) -> None:
    """End the process at once."""
    os.kill(helper.pid, signal.SIGKILL)


def test_what_lay_there_stays_when_a_helper_is_killed(
    source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch
) -> None:
    """Files of others are kept and told, not taken for those that the helper has left."""
    mine = next(name for name in wanted if "/" in name)
    for name in wanted:
        if name.rpartition("/")[0] == mine.rpartition("/")[0]:
            (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "out" / name).write_bytes(b"mine")
    there = tree(tmp_path / "out")
    target = Idle(tmp_path / "out")
    watch.answered, watch.closed = kill, lambda _: target.let.set()
    report = source.export(target, HelpFrom(3, slices=1))
    assert (report.files, report.failed) == (MAILS + 1 - len(there), len(there))
    assert all("a file of this name is there already" in line for line in report.errors)
    found = tree(tmp_path / "out")
    assert found.keys() == wanted.keys()
    assert {name: data for name, data in found.items() if name in there} == there
    assert len(found[MANIFEST].splitlines()) == report.files


def test_an_export_goes_on_without_its_helpers(
    source: Source, wanted: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process can be started, or the one that is started can't open the repository: this one writes everything."""

    def refuse(_: object) -> None:
        raise EnvironmentFault("a process can't be started")

    with monkeypatch.context() as patched:
        patched.setattr(lanes, "Helper", refuse)
        source.export(FolderTarget(tmp_path / "one", overwrite=False), ONE)
    assert tree(tmp_path / "one") == wanted
    target = Idle(tmp_path / "two")
    watch = Watch(closed=lambda _: target.let.set())
    monkeypatch.setattr(Watched, "watch", watch)
    monkeypatch.setattr(lanes, "Helper", Watched)
    monkeypatch.setattr(type(source.content.repository), "hand_over", lambda _: b"nothing of use")
    source.export(target, ONE)
    assert tree(tmp_path / "two") == wanted
    assert [helper.answers for helper in watch.helpers] == [0]


def test_damage_is_told_the_same(stored: Path, tmp_path: Path, watch: Watch) -> None:
    """A helper counts what can't be read, and the report has its words in the order of the plan."""
    shutil.copytree(stored / "repository", tmp_path / "repository")
    for pack in (tmp_path / "repository" / "packs").rglob("*"):
        if pack.is_file():
            data = bytearray(pack.read_bytes())
            data[len(data) // 4] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(data)
    source = Source(stored, tmp_path / "repository")
    alone = source.export(FolderTarget(tmp_path / "alone", overwrite=False), NOBODY)
    assert 0 < alone.damaged == alone.failed
    target = Idle(tmp_path / "out")
    watch.answered = lambda _: target.let.set()
    assert source.export(target, ONE) == alone
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


def test_ending_leaves_whole_files_and_no_process(
    source: Source, wanted: dict[str, bytes], tmp_path: Path, watch: Watch
) -> None:
    """Whoever closes an export that goes on finds what was written, all of it whole, no manifest and no helper."""
    target = Idle(tmp_path / "out")
    answered = threading.Event()
    watch.answered, watch.closed = lambda _: answered.set(), lambda _: target.let.set()
    exporter = Exporter(source.reader, source.content, target, "native", ONE)
    entries = (entry for entry in source.reader.stored_below(ACCOUNT, 1) if entry.kind not in FOLDER_KINDS)
    exporter.write_batch(entries, Names(source.reader, 1))
    assert answered.wait(DEADLINE_SECONDS)
    finishing = threading.Thread(target=exporter.finish)
    finishing.start()
    exporter.close()
    finishing.join()
    found = tree(tmp_path / "out")
    assert found
    assert MANIFEST not in found
    assert found.items() <= wanted.items()
    (helper,) = watch.helpers
    with pytest.raises(ProcessLookupError):
        os.kill(helper.pid, 0)


def test_a_disk_that_loses_what_was_written_is_told(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write succeeded, but the disk is asked for much at the end, and the export says what it said."""

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(settling, "_STEP_BYTES", LONG)
    monkeypatch.setattr(lanes, "Settling", partial(Settling, sync=refuse))
    with pytest.raises(StorageFull, match="did not all reach the disk"):
        source.export(FolderTarget(tmp_path / "out", overwrite=False), ONE)


def run_full(disk: str, stored: str) -> None:
    """Let a helper fill the disk. Runs in a process of its own."""
    slices._SLICE_ITEMS = 8
    vars(lanes)["Helper"] = Watched
    target = Idle(Path(disk, "out"))
    with pytest.raises(StorageFull, match=r"No space left on device.*make room and export again"):
        Source(Path(stored)).export(target, ONE)
    (helper,) = Watched.watch.helpers
    assert helper.answers > 0
    assert not list(Path(disk, "out").rglob("*.tuiback-partial"))


def test_a_full_disk_is_told_as_such(stored: Path, tmp_path: Path) -> None:
    """On a tmpfs of 256 KiB, in a mount namespace that ends with the test, the helper's StorageFull arrives here."""
    mount = 'mount -t tmpfs -o size=256k tmpfs "$1"'
    allowed = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if allowed.returncode:
        pytest.skip(f"this machine refuses a mount of its own: {allowed.stderr.strip()}")
    code = "import sys; from tests.engine.restores.test_lanes import run_full; run_full(*sys.argv[1:])"
    script = f'{mount} && cd "$2" && exec "$3" -c "$4" "$1" "$5"'
    arguments = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), str(ROOT), sys.executable, code, str(stored)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
