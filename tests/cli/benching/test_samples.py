"""The data to measure with: the same every time, and changed by one per cent."""

from email import message_from_bytes
from hashlib import sha256
from pathlib import Path

from tuiback.cli.benching.letters import make_letters
from tuiback.cli.benching.measuring import files_below
from tuiback.cli.benching.samples import change, copy, make


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every file by its path."""
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files_below(folder)}


def test_made_data_is_the_same_again(tmp_path: Path) -> None:
    """Both kinds are made, about as large as asked for, and equally the second time."""
    for name in ("a", "b"):
        make(tmp_path / name, 1_000_000, 500_000)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert sum(path.stat().st_size for path in files_below(tmp_path / "a" / "large")) >= 1_000_000
    assert 500_000 <= sum(path.stat().st_size for path in files_below(tmp_path / "a" / "mail")) < 5_000_000


def test_letters_are_messages_with_attachments(tmp_path: Path) -> None:
    """They parse without a defect, some carry base64, and some attachments are in several."""
    make_letters(tmp_path, 3_000_000)
    messages = [message_from_bytes(path.read_bytes()) for path in files_below(tmp_path)]
    assert not [message.defects for message in messages if message.defects]
    attached = [
        part.get_payload(decode=True) for message in messages for part in message.walk() if part.get_filename()
    ]
    assert attached
    assert len(set(map(bytes, attached))) < len(attached)


def test_one_per_cent_of_small_files_changes(tmp_path: Path) -> None:
    """Two of two hundred mails get a line more, the same ones every time."""
    told = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(200):
            (folder / f"{number}.eml").write_bytes(b"Subject: x\r\n\r\n" + b"line %d\r\n" % number * 20)
        before = hashes(folder)
        change(folder, "seed")
        after = hashes(folder)
        told.append({name for name in after if after[name] != before[name]})
        assert after.keys() == before.keys()
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_long_files_get_insertions(tmp_path: Path) -> None:
    """A long file grows by about one per cent and keeps all that it held, in its order."""
    content = b"".join(b"%08d" % number for number in range(1_000_000))
    (tmp_path / "long").write_bytes(content)
    change(tmp_path, "seed")
    changed = (tmp_path / "long").read_bytes()
    assert 0 < len(changed) - len(content) < 0.02 * len(content)
    assert changed != content
    assert changed[:50_000] == content[:50_000]
    assert changed[-50_000:] == content[-50_000:]
    assert [path.name for path in files_below(tmp_path)] == ["long"]


def test_real_data_is_copied_by_kind(tmp_path: Path) -> None:
    """Messages go to the mail, all others to the large files, and the given folder stays as it is."""
    given = tmp_path / "given"
    (given / "deep").mkdir(parents=True)
    (given / "deep" / "A.EML").write_bytes(b"Subject: a\r\n\r\n")
    (given / "b.zip").write_bytes(b"zip")
    copy(tmp_path / "data", given)
    assert {str(path.relative_to(tmp_path / "data")) for path in files_below(tmp_path / "data")} == {
        "mail/deep/A.EML", "large/b.zip",
    }  # fmt: skip
    assert len(files_below(given)) == 2
