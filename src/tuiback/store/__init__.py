"""The bytes of a backup: a deduplicated, encrypted repository of write-once objects, format version 1.

This is the format's specification; module names in brackets say where a part of it is written down. Numbers in binary
layouts are big-endian, texts UTF-8, ids and hashes in names lower-case hex. msgpack is that of msgpack.org, with times
as its timestamp extension (type -1); maps have the field names as keys, fields that a reader does not know it ignores,
and fields that are missing have their default. "a | b" is a, then b.

Objects
    config, config.2                        which repository this is [twofold]
    keys/<generation>, keys/<generation>.2  the key slots [slots, twofold]
    packs/<xx>/<id>                         content [pack]
    segments/<xx>/<id>                      metadata [segment]; xx are the first two digits of the id
    commits/<writer>/<number>-<hash>        what became true at once [commits]; the number has at least ten digits
    gc/<generation>-intent, -accept         what a prune gives up [gc]; the generation has ten digits
    quarantine/losses/<16 digits>           what a repair gave up [losses]
    quarantine/...                          damaged objects that a repair has put aside; says nothing
    tmp/...                                 not part of the repository, like every other name
No object is ever changed. The ids of packs and segments and the hash of a commit are the BLAKE3-256 of the object's
bytes. config is {version, required_features, repository_id, created_at, chunker, chunk_bytes}.

Versions. `version` is 1 everywhere. required_features is a set of bits of which version 1 knows none; who meets a
higher version or a bit he does not know leaves the object alone. Version 0 was never released. New fields take no
bit; what an older reader would misunderstand takes one: new record types, kinds of items, outcomes, forms and codecs.

Keys. A slot wraps the root keys: `identity` and a key for each epoch, 32 random bytes each [slots]. Derived keys are
HKDF-SHA256 (RFC 5869) of 64 bytes, of which the first 32 are the key and the last 32 its commitment:
    id key          secret identity, no salt, info "tuiback chunk id"
    chunker seed    secret identity, no salt, info "tuiback chunker"; the key's first 8 bytes as a number, shifted
                    right by one
    object key      secret of the header's epoch, the header's salt, info magic | repository id 16 | writer 16 |
                    number u64 | epoch u32 | time u64, as they stand in the header
    secret key      secret of the epoch, no salt, info "tuiback secret " | repository id 16 | purpose
A sealed secret (the credential in a tenant's control row, purpose "tenant credential") is version u8, epoch u32,
nonce 12, and AES-256-GCM under the secret key with these 17 bytes as associated data. A commitment that differs from
the stored one means another key; it is compared before anything is opened.

Sealed objects. All but config and key slots begin with a header and hold records [envelope]; packs and segments hold
many and end with a trailer, the others one in slot 0 [sealed].
    object    magic     record type             writer in the header         number in the header
    pack      tuibpack  1 chunk, 2 bundle       16 random bytes of one run   counts the run's packs from 1
    segment   tuibsgmt  5 rows                  16 random bytes of one run   counts the run's segments from 1
    commit    tuibcmmt  4 commit                BLAKE3 of the writer, 16     the commit's number
    gc        tuibprun  6 gc                    BLAKE3 of the writer, 16     the generation
    loss      tuiblost  7 loss                  16 random bytes              1
"BLAKE3 of the writer, 16" are the first 16 bytes of the hash of its id, which is 1 to 64 of A-Z a-z 0-9 _ and -.
The trailer is record type 3. A reader proves of each record: commitment, checksum, that type and slot are those that
were meant, and its seal.

Content. A chunk's id is BLAKE3-256 under the id key of its plain bytes; so is a part's digest of the whole part. Who
reads a part compares its digest, or the ids of its chunks, before he believes it. A pack's record holds one chunk, or
as a bundle several of at most 128 KiB each and 256 KiB together, of one account, kind and part name. A part of at
most 128 KiB is one chunk, an empty one none, a longer one is cut [chunker]. What its chunks make up, the part's form
says:
    ""              its bytes are its chunks in a row
    list1, list2    likewise, but `chunks` names list chunks [chunk_lists]
    mime            a mail taken apart: a recipe, then the chunks of its pieces [mime_form, base64_lines]
A chunk may lie in several packs; any of them will do.

Commits [commits]. Commits of a writer are numbered from 1, and each holds the digest of the one before it. Of two with
one number the one counts that the next commit names. A body is a map of the fields of model.commit.CommitBody, rows
as maps of the fields of that module and model.things; fields are applied in their order:
    controls            kind "tenant" or "task", name, and JSON of model.things.Tenant or Task with bytes in base64;
                        without data it is removed
    runs, accounts      replace the row with that number or id
    snapshots_opened    replace the row of that account and seq; fields that are null stay
    containers          replace; containers_removed are no more
    versions            each is its item's live one from its snapshot on, and ends there the one that was; one that
                        did not begin before that snapshot is dropped
    removals            wait until a snapshot of their account closes, then end the item's live version if that lies in
                        the container; a version opened in the same container later makes the removal void
    owed                replace the debt of that item, or end it if `cleared`
    snapshots_closed    only closed snapshots are points to go back to; of one closed before, verified_until moves on
    expired             these versions and snapshots are no more, or the whole account; live versions, open snapshots
                        and an account's newest closed one stay unless it is given up whole
Commits of several writers apply in the order of their bodies' times, each writer's in order of their numbers.

Checkpoints [checkpoint, bodies, model.kept]. A commit whose `checkpoint` names a segment makes all commits up to its
`covers` superfluous: the table in that segment says which packs count, and where of each account a base lies (all that
is kept of it, model.kept.BasePiece) and the changes after it; `checkpoint_copy` names another segment with the same
table. The commit itself is not covered: it comes first of what applies afterwards. Every later commit names the newest
checkpoint's commit as its `base`. So a reader takes the newest commit of each writer, finds the checkpoints that they
are or name, and begins at the one that no other covers; it loads its bases, applies its changes, and then all commits
behind `covers`. A checkpoint that lacks a segment is passed over as long as the commits are there that it replaces: a
copy was taken while it was written. Where its commit is lost another commit may name the table of a segment that holds
one [lost_checkpoint].
From a writer's first number behind `covers` that is missing on, or whose commit lacks a segment, nothing of it counts.

Prune [gc]. A commit names the newest generation that its writer knew of. One that is newer than an accept's `seen` of
its writer and of an older generation than the accept, or whose digest stands in `void`, is void: it stands in its
chain but says nothing. Packs in an accept's `doomed` and in a loss's `packs` do not count, whoever names them. Who
finds a newer generation than his own after he has put a commit must not rely on that commit.

Order of writes. Packs, then segments, then the commit that names them; each is durable (a file and its folder synced,
or a PUT done) before the next is begun, and created only if its name is free. A pack that no commit names says nothing.
A cursor stands in no earlier commit than what it has passed. A prune deletes an object 24 h after the accept that
names it, by the store's clock, and after one more commit of its own; commits before what they name.
config is written last when a repository is made: without it there is none.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuiback.store.backend import AlreadyThere, Backend
    from tuiback.store.bodies import by_account, decode_bodies, records
    from tuiback.store.check import PackOrder, Sources
    from tuiback.store.checkpoint import CheckpointTable, SubjectRefs, write_table
    from tuiback.store.commits import Chain
    from tuiback.store.findings import CheckReport, Finding
    from tuiback.store.gc import newest_generation
    from tuiback.store.history import Superseded
    from tuiback.store.keys import KeySlot, Secret
    from tuiback.store.needs import LostVersion, Needs, needs_of
    from tuiback.store.opening import open_backend
    from tuiback.store.pack_checks import Depth
    from tuiback.store.reader import Places, Reader
    from tuiback.store.repository import Repository, identify
    from tuiback.store.savings import Savings
    from tuiback.store.segment import SegmentReader, SegmentRef, SegmentWriter
    from tuiback.store.slots import KeySlots
    from tuiback.store.writer import Writer

__all__ = [
    "AlreadyThere", "Backend", "Chain", "CheckReport", "CheckpointTable", "Depth", "Finding", "KeySlot", "KeySlots",
    "LostVersion", "Needs", "PackOrder", "Places", "Reader", "Repository", "Savings", "Secret", "SegmentReader",
    "SegmentRef", "SegmentWriter", "Sources", "SubjectRefs", "Superseded", "Writer", "by_account",
    "decode_bodies", "identify", "needs_of", "newest_generation", "open_backend", "records", "write_table",
]  # fmt: skip

_PLACES = {
    "backend": ("AlreadyThere", "Backend"),
    "bodies": ("by_account", "decode_bodies", "records"),
    "check": ("PackOrder", "Sources"),
    "checkpoint": ("CheckpointTable", "SubjectRefs", "write_table"),
    "commits": ("Chain",),
    "findings": ("CheckReport", "Finding"),
    "gc": ("newest_generation",),
    "history": ("Superseded",),
    "keys": ("KeySlot", "Secret"),
    "needs": ("LostVersion", "Needs", "needs_of"),
    "opening": ("open_backend",),
    "pack_checks": ("Depth",),
    "reader": ("Places", "Reader"),
    "repository": ("Repository", "identify"),
    "savings": ("Savings",),
    "segment": ("SegmentReader", "SegmentRef", "SegmentWriter"),
    "slots": ("KeySlots",),
    "writer": ("Writer",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load what is asked for when it is: a backup needs nothing of what checks or prunes, and starts sooner."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
