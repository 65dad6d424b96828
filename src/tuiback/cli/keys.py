"""`key`: which passphrases and key files open a repository, and its key epochs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_home, secret_source
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.secret import given_secret, read_key, read_passphrase, secrets_at_hand, terminal_ask
from tuiback.cli.setup import make_sheet
from tuiback.cli.wording import time_text
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.store import KeySlot, KeySlots, Secret

_FILE = click.Path(dir_okay=False, path_type=Path)
_REPOSITORY = click.option("--repository", "name", default="main", show_default=True, help="Which one, by its name.")
_COLUMNS = (
    field("SLOT", "slot", right=True),
    field("KIND", "kind"),
    Column("SET", lambda row: time_text(row["created_at"])),
    Column("CONFIRMED", lambda row: time_text(row["confirmed_at"]) if row["confirmed"] else "not yet"),
)
_NOT_UNKNOWN = (
    "Whoever opened the repository with it may have kept the keys: this does not make them unknown.",
    "'tuiback key rotate' seals what is backed up from now on under a key that nobody had.",
)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A repository of the home and its key slots."""

    home: "Home"
    ref: "RepositoryRef"
    slots: "KeySlots"

    def opener(self) -> "Secret":
        """What opens the repository, from where every other verb takes it. Raises WrongKey, before more is asked."""
        secret = secret_source()(self.ref)
        self.slots.get(secret)
        return secret

    def note(self, action: str, subject: str = "") -> None:
        """Write down in the audit what is about to be done with the keys."""
        from tuiback.engine.clock import SystemClock
        from tuiback.engine.upkeep.auditing import deed_by_hand, note_deed

        note_deed(self.home, self.ref.name, SystemClock(), deed_by_hand(action, subject or self.ref.name))


def open_keyed(call: Invocation, name: str) -> Keyed:
    """The key slots of the repository that the home knows by this name; no secret is needed to see them."""
    from tuiback.engine.clock import SystemClock
    from tuiback.store import KeySlots, identify, open_backend

    home = open_home(call)
    ref = home.repository(name)
    backend = open_backend(ref.url)
    identify(backend, ref.repository_id)
    return Keyed(home, ref, KeySlots(backend, bytes.fromhex(ref.repository_id), SystemClock()))


def slot_rows(slots: "Mapping[int, KeySlot]") -> list[Row]:
    """The slots as `key list` tells them."""
    return [
        {
            "slot": number,
            "kind": slot.kind,
            "created_at": slot.created_at,
            "confirmed": slot.confirmed_at is not None,
            "confirmed_at": slot.confirmed_at,
        }
        for number, slot in sorted(slots.items())
    ]


@click.group(cls=WholeGroup)
def key() -> None:
    """Passphrases, key files and key epochs of a repository."""


@key.command("list")
@_REPOSITORY
@click.pass_obj
def list_slots(call: Invocation, name: str) -> None:
    """List what opens the repository."""
    call.output.listing("key-list", "slots", slot_rows(open_keyed(call, name).slots.all()), _COLUMNS)


@key.command("add")
@click.option("--passphrase-file", type=_FILE, help="A file whose first line is the further passphrase.")
@click.option("--key-file", type=_FILE, help="A further key file, made if it is missing.")
@_REPOSITORY
@click.pass_obj
def add_slot(call: Invocation, passphrase_file: Path | None, key_file: Path | None, name: str) -> None:
    """Let a further passphrase or key file open the repository."""
    keyed = open_keyed(call, name)
    opener = keyed.opener()
    new = given_secret(passphrase_file, key_file, terminal_ask())
    keyed.note("key-add", new.kind)
    number = keyed.slots.add(opener, new)
    _answer(call, "key-add", number, [f"Slot {number} opens the repository from now on."])


@key.command("remove")
@click.argument("slot", type=int)
@_REPOSITORY
@click.pass_obj
def remove_slot(call: Invocation, slot: int, name: str) -> None:
    """Take a slot away; the last one stays."""
    keyed = open_keyed(call, name)
    opener = keyed.opener()
    keyed.note("key-remove", f"slot {slot}")
    keyed.slots.remove(opener, slot)
    lines = [f"Slot {slot} opens the repository no longer.", *_NOT_UNKNOWN]
    if keyed.slots.find(opener) is None:
        lines.append("It is the one that was used just now: prove with 'tuiback key verify' that another one opens.")
    lines += _forget_key_file(keyed)
    _answer(call, "key-remove", slot, lines, always=True)


@key.command("change")
@click.option("--passphrase-file", type=_FILE, help="A file whose first line is the new passphrase.")
@click.option("--key-file", type=_FILE, help="The new key file, made if it is missing.")
@_REPOSITORY
@click.pass_obj
def change_slot(call: Invocation, passphrase_file: Path | None, key_file: Path | None, name: str) -> None:
    """Put a new passphrase or key file in the place of the one that is used now."""
    keyed = open_keyed(call, name)
    opener = keyed.opener()
    new = given_secret(passphrase_file, key_file, terminal_ask())
    keyed.note("key-change", new.kind)
    number = keyed.slots.change(opener, new)
    lines = [f"Slot {number} opens with the new secret only.", *_NOT_UNKNOWN]
    if key_file is not None:
        keyed.home.use_key_file(keyed.ref.name, str(key_file.absolute()))
    else:
        lines += _forget_key_file(keyed)
    if passphrase_file is not None and os.environ.get("TUIBACK_PASSPHRASE_FILE"):
        lines.append("$TUIBACK_PASSPHRASE_FILE must name the new passphrase from now on.")
    _answer(call, "key-change", number, lines, always=True)


@key.command("rotate")
@click.option("--passphrase-file", "passphrase_files", type=_FILE, multiple=True, help="The secret of a further slot.")
@click.option("--key-file", "key_files", type=_FILE, multiple=True, help="The secret of a further slot.")
@_REPOSITORY
@click.pass_obj
def rotate(call: Invocation, passphrase_files: Sequence[Path], key_files: Sequence[Path], name: str) -> None:
    """Seal what is backed up from now on under a new key; the secrets of all slots are needed.

    What is there stays readable, and nothing is stored twice.
    """
    keyed = open_keyed(call, name)
    secrets = [*secrets_at_hand(keyed.ref.key_file, os.environ), *_read_all(passphrase_files, key_files)]
    secrets = _asked_too(keyed, secrets)
    keyed.note("key-rotate")
    epoch = keyed.slots.rotate(secrets)
    running = _engine_runs(keyed.home)
    lines = [f"Key epoch {epoch} is open: what is backed up from now on is sealed under a new key."]
    if running:
        lines.append("An engine runs on this home: it keeps the epoch that it has until it is started again.")
    fields = {"epoch": epoch, "engine_runs": running}
    _tell(call, "key-rotate", fields, lines, always=running)


@key.command("verify")
@click.option("--passphrase-file", "passphrase_files", type=_FILE, multiple=True, help="A passphrase to try.")
@click.option("--key-file", "key_files", type=_FILE, multiple=True, help="A key file, or a typed sheet, to try.")
@_REPOSITORY
@click.pass_obj
def verify(call: Invocation, passphrase_files: Sequence[Path], key_files: Sequence[Path], name: str) -> None:
    """Prove that a passphrase or key file opens the repository, and note that for its slot."""
    keyed = open_keyed(call, name)
    secrets = _read_all(passphrase_files, key_files) or secrets_at_hand(keyed.ref.key_file, os.environ)
    secrets = secrets or [keyed.opener()]
    numbers = keyed.slots.confirm(secrets)
    told = ", ".join(map(str, numbers))
    fields = {"ok": True, "opened": numbers, "slots": slot_rows(keyed.slots.all())}
    _tell(call, "key-verify", fields, [f"Confirmed: what was tried opens slot {told}."])


@key.command("sheet")
@_REPOSITORY
@click.pass_obj
def sheet(call: Invocation, name: str) -> None:
    """Print the recovery sheet; where a key file is used, it holds the key."""
    keyed = open_keyed(call, name)
    keyed.note("key-sheet")
    text = make_sheet(keyed.ref)
    if call.output.as_json:
        fields = {"repository_id": keyed.ref.repository_id, "url": keyed.ref.url, "sheet": text}
        call.output.document("key-sheet", fields)
    else:
        call.output.raw(text.encode())


def _read_all(passphrase_files: Sequence[Path], key_files: Sequence[Path]) -> "list[Secret]":
    return [*map(read_passphrase, passphrase_files), *map(read_key, key_files)]


def _asked_too(keyed: Keyed, secrets: "list[Secret]") -> "list[Secret]":
    """The secrets, and what somebody types for the passphrase slots that none of them opens."""
    from tuiback.store import Secret

    ask = terminal_ask()
    if ask is None:
        return secrets
    opened = {keyed.slots.find(secret) for secret in secrets}
    for number, slot in keyed.slots.all().items():
        if slot.kind == "passphrase" and number not in opened:
            typed = Secret("passphrase", ask(f"Passphrase of slot {number}").encode(errors="surrogateescape"))
            opened.add(keyed.slots.get(typed))
            secrets = [*secrets, typed]
    return secrets


def _forget_key_file(keyed: Keyed) -> list[str]:
    """Where the home's key file opens nothing any more, ask for a passphrase from now on; what to tell."""
    key_file = keyed.ref.key_file
    if key_file is None:
        return []
    try:
        opens = keyed.slots.find(read_key(Path(key_file))) is not None
    except TuibackError:
        # It can't be read now: whether it opens a slot is unknown.
        return []
    if opens:
        return []
    keyed.home.use_key_file(keyed.ref.name, None)
    return [f"{key_file} opens nothing any more: from now on a passphrase is needed."]


def _engine_runs(home: "Home") -> bool:
    from tuiback.engine.hosting.attach import attach

    link = attach(home.path)
    if link is None:
        return False
    link.close()
    return True


def _answer(call: Invocation, verb: str, number: int, lines: Sequence[str], *, always: bool = False) -> None:
    _tell(call, verb, {"name": str(number), "slot": number}, lines, always=always)


def _tell(call: Invocation, verb: str, fields: dict[str, Any], lines: Sequence[str], *, always: bool = False) -> None:
    """The document of a change, and its lines for people; `always` where they must be known in a script too."""
    if call.output.as_json:
        call.output.document(verb, {**fields, "notes": list(lines)})
    if always:
        call.output.trouble(lines)
    else:
        for line in lines:
            call.output.note(line)
