"""A tenant is made on demand, from the seed or from a customer's folders."""

from pathlib import Path

from tuiback.simtenant import Plan
from tuiback.simtenant.content.library import walk
from tuiback.simtenant.state.mailbox import INBOX, SENT
from tuiback.simtenant.state.tenant import Tenant


def test_a_large_tenant_makes_nothing_it_is_not_asked_for() -> None:
    """5,000 users with 2,000 messages each are listed without a mailbox or drive having been made."""
    tenant = Tenant(Plan(users=5000, messages=2000))
    assert len({person.address for person in tenant.company.people}) == 5000
    assert len({person.object_id for person in tenant.company.people}) == 5000
    assert tenant.held_count == 0
    assert sum(tenant.mailbox(tenant.company.people[4999]).count(folder) for folder in range(40)) == 2000
    assert tenant.held_count == 1


def test_the_company_has_its_shape() -> None:
    """Ten departments and more, projects three folders deep, a hidden folder, a notebook, an empty file."""
    tenant = Tenant(Plan(users=12))
    assert len({person.department for person in tenant.company.people}) >= 10
    mailbox = tenant.mailbox(tenant.company.people[0])
    depths = set()
    for folder in mailbox.folders.values():
        depth, each = 0, folder
        while each.parent is not None:
            depth, each = depth + 1, mailbox.folders[each.parent]
        depths.add(depth)
    assert max(depths) >= 3
    assert any(folder.hidden and mailbox.count(folder.serial) for folder in mailbox.folders.values())
    assert mailbox.count(INBOX) > mailbox.count(SENT) > 0
    drive = tenant.drive(tenant.company.people[0])
    notebook = next(node for node in drive.nodes.values() if node.package)
    assert {node.name.rpartition(".")[2] for node in drive.children(notebook.serial)} == {"one", "onetoc2"}
    files = [node for node in drive.nodes.values() if node.source is not None]
    assert len(files) == 60
    assert any(node.source is not None and node.source.size == 0 for node in files)
    assert any(not node.name.isascii() for node in files)


def test_file_sizes_are_log_normal() -> None:
    """The median file has about 60 KB."""
    tenant = Tenant(Plan(users=20, files_per_user=60))
    drives = [tenant.drive(person) for person in tenant.company.people]
    sizes = sorted(node.source.size for drive in drives for node in drive.nodes.values() if node.source is not None)
    assert 30_000 < sizes[len(sizes) // 2] < 120_000


def test_unchanged_mailboxes_are_let_go_and_changed_ones_kept() -> None:
    """However many mailboxes are visited, a write in the first is still there."""
    tenant = Tenant(Plan(users=200, messages=10))
    first = tenant.mailbox(tenant.company.people[0])
    message = next(found for found in (first.find(serial) for serial in first.serials(SENT)) if found is not None)
    first.delete(message)
    for person in tenant.company.people:
        tenant.mailbox(person)
    assert tenant.mailbox(tenant.company.people[0]) is first
    assert tenant.held_count < 200


def test_a_customers_folders_replace_the_generated_content(tmp_path: Path) -> None:
    """Every message lies in one mailbox and every file in one drive, under its folder, names that clash included."""
    for name in ("mail/Inbox/a.eml", "mail/deep/er/b.txt", "mail/DEEP/er/c", "mail/top.eml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() + b"\n\nbody\r\n\n")
    for name in ("files/x/Same.txt", "files/x/same.txt", "files/X/other", "files/ü.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    tenant = Tenant(Plan(users=1, mail=tmp_path / "mail", files=tmp_path / "files"))
    person = tenant.company.people[0]
    mailbox, drive = tenant.mailbox(person), tenant.drive(person)
    found = [mailbox.find(serial) for folder in mailbox.folders for serial in mailbox.serials(folder)]
    assert sorted(each.mail.mime() for each in found if each is not None) == sorted(
        path.read_bytes() for _, path in walk(tmp_path / "mail")
    )
    assert mailbox.count(INBOX) == 2
    sources = [node.source for node in drive.nodes.values() if node.source is not None]
    assert sorted(b"".join(each.pieces(0, each.size)) for each in sources) == sorted(
        path.read_bytes() for _, path in walk(tmp_path / "files")
    )
    inside = [(node, node.parent) for node in drive.nodes.values() if node.parent is not None]
    assert all(drive.find_child(parent, node.name) is node for node, parent in inside)
    archive = tenant.archive(tenant.directory.accounts[0])
    assert sum(archive.count(folder) for folder in archive.folders) == 0
    assert {tenant.drive(site).total_bytes() for site in tenant.sites.all()} == {0}
