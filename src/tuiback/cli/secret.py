"""Finds what opens a repository: a passphrase or a key file, never from the command line's own words."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tuiback.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import RepositoryRef
    from tuiback.store import Secret

# The name that a systemd unit gives the passphrase: LoadCredential=tuiback-passphrase:/path
CREDENTIAL_NAME = "tuiback-passphrase"
KEY_FILE_BYTES = 32

Ask = Callable[[str], str]


def find_passphrase_file(environ: Mapping[str, str]) -> Path | None:
    """$TUIBACK_PASSPHRASE_FILE, else the credential of systemd's unit, else None."""
    if named := environ.get("TUIBACK_PASSPHRASE_FILE"):
        return Path(named)
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        credential = Path(folder) / CREDENTIAL_NAME
        if credential.is_file():
            return credential
    return None


def must_ask(repositories: "Iterable[RepositoryRef]", environ: Mapping[str, str]) -> bool:
    """Whether opening any of these repositories takes somebody at a terminal."""
    return find_passphrase_file(environ) is None and any(ref.key_file is None for ref in repositories)


def get_secret(key_file: str | None, subject: str, environ: Mapping[str, str], ask: Ask | None) -> "Secret":
    """What opens the repository `subject`: a passphrase file, else its key file, else what `ask` answers.

    Raises UsageError when there is no source at all, EnvironmentFault when a file can't be read.
    """
    if passphrase_file := find_passphrase_file(environ):
        return read_passphrase(passphrase_file)
    if key_file is not None:
        return read_key(Path(key_file))
    if ask is None:
        raise UsageError(
            "needs a passphrase, and there is no terminal to ask at", subject, "set $TUIBACK_PASSPHRASE_FILE"
        )
    return _passphrase(ask(f"Passphrase of {subject}"), subject)


def new_secrets(key_file: Path | None, environ: Mapping[str, str], ask: Ask | None) -> "list[Secret]":
    """The secrets of a repository to be made: a slot for the key file, made if missing, and one for a passphrase.

    Asks for a passphrase, twice, only where nothing else is named. Raises UsageError when there is no source.
    """
    found: list[Secret] = []
    if key_file is not None:
        if not key_file.exists():
            make_key(key_file)
        found.append(read_key(key_file))
    if passphrase_file := find_passphrase_file(environ):
        found.append(read_passphrase(passphrase_file))
    if found:
        return found
    if ask is None:
        raise UsageError("a new repository needs a key", remedy="give --key-file or set $TUIBACK_PASSPHRASE_FILE")
    return [ask_twice(ask)]


def ask_twice(ask: Ask) -> "Secret":
    """A passphrase that is typed for the first time. Raises UsageError when the second try differs."""
    chosen = ask("New passphrase (without it nothing can ever be read again)")
    if ask("The same again") != chosen:
        raise UsageError("the two passphrases differ", remedy="try again")
    return _passphrase(chosen, "the new passphrase")


def given_secret(passphrase_file: Path | None, key_file: Path | None, ask: Ask | None) -> "Secret":
    """The new secret of a slot: from the one file that is named, else asked for. A missing key file is made.

    Raises UsageError when both are named, or neither where nobody can be asked.
    """
    if passphrase_file and key_file:
        raise UsageError("one slot has one secret", remedy="give --passphrase-file or --key-file, not both")
    if passphrase_file:
        return read_passphrase(passphrase_file)
    if key_file:
        if not key_file.exists():
            make_key(key_file)
        return read_key(key_file)
    if ask is None:
        raise UsageError("a new slot needs a secret", remedy="give --passphrase-file or --key-file")
    return ask_twice(ask)


def secrets_at_hand(key_file: str | None, environ: Mapping[str, str]) -> "list[Secret]":
    """Every secret that can be had without asking: the passphrase file's and the home's key file's."""
    passphrase_file = find_passphrase_file(environ)
    found = [read_passphrase(passphrase_file)] if passphrase_file else []
    return [*found, read_key(Path(key_file))] if key_file else found


def read_passphrase(path: Path) -> "Secret":
    """The first line of a file."""
    first_line = _read(path, "passphrase file").partition(b"\n")[0].removesuffix(b"\r")
    return _passphrase(first_line.decode(errors="surrogateescape"), str(path))


def read_key(path: Path) -> "Secret":
    """A key file's 32 bytes: as they are, as 64 hexadecimal digits, or as the lines of a recovery sheet."""
    from tuiback.cli.sheet import find_key
    from tuiback.store import Secret

    content = _read(path, "key file")
    if len(content) == KEY_FILE_BYTES:
        return Secret("key-file", content)
    text = content.decode("utf-8-sig", errors="replace")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = find_key(text, KEY_FILE_BYTES) or b""
    if len(key) != KEY_FILE_BYTES:
        raise UsageError("is no key file: it must hold 64 hexadecimal digits", str(path), "name the right file")
    return Secret("key-file", key)


def make_key(path: Path) -> None:
    """Write a new random key, readable by its owner only. Raises EnvironmentFault when it can't be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_FILE_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise EnvironmentFault(
            f"the key file can't be written ({error.strerror})", str(path), "choose another place"
        ) from error


def terminal_ask() -> Ask | None:
    """Asks at the terminal without echo; None where nobody sits."""
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        # Loaded when somebody is asked, not when the console opens.
        import click

        return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))

    return ask


def _passphrase(text: str, subject: str) -> "Secret":
    from tuiback.store import Secret

    if not text:
        raise UsageError("the passphrase is empty", subject, "give one")
    return Secret("passphrase", text.encode(errors="surrogateescape"))


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFault(
            f"the {what} can't be read ({error.strerror})", str(path), "is its volume mounted?"
        ) from error
