"""A customer's folders are dealt out whole, and nothing in them is opened."""

from pathlib import Path

from tuiback.simtenant.content.library import deal_files, deal_mail


def fill(root: Path, names: list[str]) -> list[Path]:
    """Make small files."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return [root / name for name in names]


def test_each_message_goes_to_one_mailbox_under_its_folder(tmp_path: Path) -> None:
    """.eml, .txt and names without an ending are mail, in any case of letters; others are counted, not dealt."""
    mail = fill(tmp_path, ["a.eml", "in/b.TXT", "in/deep/c", "in/d.eml", "e.eml"])
    fill(tmp_path, ["x.json", "in/y.md"])
    shares, strangers = deal_mail(tmp_path, 3)
    dealt = [(folder, path) for share in shares for folder, paths in share.folders.items() for path in paths]
    assert sorted(path for _, path in dealt) == sorted(mail)
    assert all(folder == path.parent.relative_to(tmp_path).parts for folder, path in dealt)
    assert strangers == 2
    assert [sum(map(len, share.folders.values())) for share in shares] == [2, 2, 1]


def test_every_file_is_dealt_whatever_its_name(tmp_path: Path) -> None:
    """All regular files are dealt, hidden ones too."""
    files = fill(tmp_path, [".hidden", "a/b/c.bin", "ä ö.docx"])
    shares = deal_files(tmp_path, 2)
    assert sorted(p for share in shares for paths in share.folders.values() for p in paths) == sorted(files)
