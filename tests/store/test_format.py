"""A backup can be read without tuiback: everything from the passphrase to a mail, by the format's description alone."""

import asyncio
import json
import re
import subprocess
import sys
from concurrent.futures import Executor
from pathlib import Path

import blake3

import tuiback.store
from tests.store import extractor
from tests.store.checkpoints import checkpoint, drop_superseded
from tests.store.doubles import KEY_FILE, PASSPHRASE, SCRYPT_N, DictIndex, FixedClock, body, version
from tests.store.extractor import Extractor, hkdf
from tests.store.mails import letter
from tests.store.test_keys import KEYS
from tests.store.test_writer import content
from tuiback.model import CommitHead, StoredPart
from tuiback.store import Repository, Secret, Writer, envelope, open_backend
from tuiback.store.envelope import RecordType
from tuiback.store.gc import Accept, put_accept
from tuiback.store.keys import VERSION
from tuiback.store.pack import pack_name
from tuiback.store.sealed import COUNTED

GOLDEN = ("29bb9f249429a3a00d8f34ce96dc74ce7e5286a6d1dcc321d48069593304afe6", 8406210876965710591)
# More versions than a commit carries itself.
MANY = 4_500


class Backup:
    """Commits items as a run does, and remembers what was in them."""

    def __init__(self, folder: Path, executor: Executor) -> None:
        backend = open_backend(str(folder))
        self.repository = Repository.create(backend, [PASSPHRASE, KEY_FILE], clock=FixedClock(), scrypt_n=SCRYPT_N)
        self.executor = executor
        self.index = DictIndex()
        self.head: CommitHead | None = None
        self.items: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.part = StoredPart("mime", 0, b"", ())

    async def commit(self, item_id: str, data: bytes, listed_above: int = 1024) -> None:
        """One item, in a commit of its own."""
        writer = Writer(self.repository, self.index, self.executor, listed_above=listed_above)
        self.part = part = await writer.put("mailbox:ann", "message", "mime", data)
        tables = await writer.flush()
        self.index.take(tables)
        packs = [table.pack_id for table in tables]
        self.head = self.repository.append("nas", self.head, packs, body(version(item_id, part))).head
        self.items["mailbox:ann", item_id] = part.form, data
        writer.close()

    async def commit_all(self, name: str) -> None:
        """Items of every form."""
        await self.commit(f"{name}-empty", b"")
        await self.commit(f"{name}-small", content(1, 5000))
        await self.commit(f"{name}-large", content(2, 3_000_000))
        await self.commit(f"{name}-listed", content(2, 3_000_000) + content(3, 2_000_000), listed_above=3)
        await self.commit(f"{name}-twice-listed", content(4, 5_000_000), listed_above=0)
        await self.commit(f"{name}-mail", letter(1, content(1, 5000), content(2, 3_000_000)) + name.encode())

    def commit_many(self, name: str) -> None:
        """So many versions with the content of the last item that their rows lie in a segment."""
        rows = tuple(version(f"{name}{number}", self.part) for number in range(MANY))
        commit = self.repository.append("nas", self.head, [], body(*rows))
        assert commit.segments
        self.head = commit.head

    def prune(self) -> None:
        """The pack of the last item is given up for one like it; a commit that does not know of that is void."""
        assert self.head is not None
        old = self.repository.read_commit(self.head).packs[0]
        pack = self.repository.new_pack(bytes(16), 1)
        for chunk_id, data in Extractor(Path(self.repository.url), KEY_FILE.kind, KEY_FILE.value).chunks([old]).items():
            slot = pack.reserve()
            pack.add(slot, pack.seal(slot, data, 1), ((chunk_id, len(data)),))
        pieces, table = pack.finish()
        self.repository.store_pack(pieces, table)
        seen = self.repository.append("nas", self.head, [table.pack_id], body()).head
        put_accept(self.repository.objects, Accept(1, "nas", (pack_name(old),), (), (seen,)))
        self.repository.objects.delete(pack_name(old))
        void = self.repository.append("nas", seen, [old], body(version("void", self.part)))
        self.head = self.repository.append("nas", void.head, [], body(), generation=1).head

    def checkpoint(self, *bases: str) -> None:
        """A checkpoint with bases of these accounts; what it replaces is deleted."""
        self.head = checkpoint(self.repository, "nas", bases=bases).head
        drop_superseded(self.repository)


def all_items(folder: Path, secret: Secret) -> dict[tuple[str, str], tuple[str, bytes]]:
    """(form, bytes) of every item that a stranger finds."""
    stranger = Extractor(folder, secret.kind, secret.value)
    packs, versions = stranger.history()
    chunks = stranger.chunks(packs)
    return {
        (row["account_id"], row["item_id"]): (row["parts"][0]["form"], stranger.part(row["parts"][0], chunks))
        for row in versions
    }


async def test_backup_is_readable_without_tuiback(tmp_path: Path, executor: Executor) -> None:
    """Files, mails and lists come out byte for byte, with either secret, before and after checkpoints."""
    backup = Backup(tmp_path / "r", executor)
    await backup.commit_all("first")
    assert {form for form, _ in backup.items.values()} == {"", "mime", "list1", "list2"}
    for secret in (PASSPHRASE, KEY_FILE):
        assert all_items(tmp_path / "r", secret) == backup.items


async def test_checkpoint_is_readable_without_tuiback(tmp_path: Path, executor: Executor) -> None:
    """Everything is there from a base, from changes after it and from commits behind it, the old commits gone."""
    backup = Backup(tmp_path / "r", executor)
    await backup.commit_all("base")
    await backup.commit("small", content(1, 40))
    backup.commit_many("m")
    backup.checkpoint("mailbox:ann")
    await backup.commit("delta", content(5, 70_000))
    backup.checkpoint()
    await backup.commit("late", content(6, 70_000))
    backup.commit_many("n")
    found = all_items(tmp_path / "r", KEY_FILE)
    assert len(list((tmp_path / "r").glob("commits/nas/*"))) == 3
    assert len(found) == len(backup.items) + 2 * MANY
    assert {key: found[key] for key in backup.items} == backup.items


async def test_what_several_writers_said_is_readable_without_tuiback(tmp_path: Path, executor: Executor) -> None:
    """Each has its own chain of commits."""
    backup = Backup(tmp_path / "r", executor)
    await backup.commit("ours", content(1, 5000))
    theirs = backup.repository.append("attic", None, [], body(version("theirs", backup.part))).head
    backup.repository.append("attic", theirs, [], body(version("theirs too", backup.part)))
    await backup.commit("ours too", content(2, 5000))
    assert {item for _, item in all_items(tmp_path / "r", KEY_FILE)} == {"ours", "theirs", "theirs too", "ours too"}


async def test_prune_is_readable_without_tuiback(tmp_path: Path, executor: Executor) -> None:
    """What a prune has moved is found where it is now, and what it made void is not found."""
    backup = Backup(tmp_path / "r", executor)
    await backup.commit("kept", content(7, 70_000))
    backup.checkpoint("mailbox:ann")
    await backup.commit("moved", content(8, 70_000))
    backup.prune()
    assert all_items(tmp_path / "r", PASSPHRASE) == backup.items


def test_extractor_stands_alone(tmp_path: Path, executor: Executor) -> None:
    """As a script, with nothing of tuiback, it writes out every item of a backup with a checkpoint."""
    assert not re.search(r"^ *(?:from|import) +(?:tuiback|tests)", Path(extractor.__file__).read_text(), re.MULTILINE)
    backup = Backup(tmp_path / "r", executor)
    asyncio.run(backup.commit_all("base"))
    backup.checkpoint("mailbox:ann")
    (tmp_path / "key").write_bytes(KEY_FILE.value)
    (tmp_path / "items").mkdir()
    given = [str(tmp_path / name) for name in ("r", "key", "items")]
    subprocess.run([sys.executable, "-I", extractor.__file__, *given], check=True, cwd=tmp_path)
    index = json.loads((tmp_path / "items" / "index.json").read_text())
    found = {
        (account, item): (tmp_path / "items" / str(number)).read_bytes()
        for number, (account, item, _) in enumerate(index)
    }
    assert found == {key: data for key, (_, data) in backup.items.items()}


def test_specification_names_every_kind_of_object_and_record() -> None:
    """What the store writes stands in the package's description: magic, record types, folders, and the version."""
    text = tuiback.store.__doc__ or ""
    table = re.findall(r"^ +(\w+) +(tuib\w{4}) +(\d.*?)  ", text, re.MULTILINE)
    magics = {value.decode() for name, value in vars(envelope).items() if name.endswith("_MAGIC")}
    assert {magic for _, magic, _ in table} == magics
    types = {int(number) for _, _, told in table for number in re.findall(r"\d+", told)}
    assert types | {RecordType.TRAILER} == set(RecordType)
    assert all(f"    {prefix}" in text for prefix in (*COUNTED, "quarantine/", "keys/", "config"))
    assert f"format version {VERSION}." in text


def test_derived_keys_are_what_they_were() -> None:
    """Golden: chunk id and chunker seed of a known repository, by the description's HKDF and by the store."""
    identity = bytes(range(32))
    id_key = hkdf(identity, b"", b"tuiback chunk id")[0]
    seed = int.from_bytes(hkdf(identity, b"", b"tuiback chunker")[0][:8], "big") >> 1
    chunk_id = blake3.blake3(b"tuiback", key=id_key).digest()
    assert (chunk_id, seed) == (KEYS.chunk_id(b"tuiback"), KEYS.chunker_seed)
    assert (chunk_id.hex(), seed) == GOLDEN
