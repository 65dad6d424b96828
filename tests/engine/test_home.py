"""The home: where it may lie, what it remembers."""

from pathlib import Path

import pytest

from tuiback.engine.home import Home, RepositoryRef, file_system_of, find_home_path, mounted_file_systems
from tuiback.errors import EnvironmentFault, NoSuchThing, UsageError

LOCAL = (("/", "ext4"),)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    """A home on a network file system is neither made nor opened, and nothing is written."""
    mounts = (("/", "ext4"), (str(tmp_path), kind))
    with pytest.raises(EnvironmentFault, match=kind):
        Home.create(tmp_path / "home", mounts=mounts)
    assert not (tmp_path / "home").exists()
    Home.create(tmp_path / "home", mounts=LOCAL)
    with pytest.raises(EnvironmentFault, match="network"):
        Home.open(tmp_path / "home", mounts=mounts)


def test_nearest_mount_counts(tmp_path: Path) -> None:
    """The deepest mount decides, and of two on one point the later."""
    mounts = [("/", "ext4"), ("/vol", "nfs"), ("/vol/local", "btrfs"), ("/vol/local", "xfs")]
    assert file_system_of(Path("/vol/x"), mounts) == "nfs"
    assert file_system_of(Path("/vol/local/x"), mounts) == "xfs"
    assert file_system_of(Path("/volume"), mounts) == "ext4"


def test_mounts_of_this_machine() -> None:
    """The root is mounted, with a type."""
    mounts = mounted_file_systems()
    assert file_system_of(Path("/"), mounts)
    assert "proc" in {kind for _, kind in mounts}


def test_home_remembers_repositories(tmp_path: Path) -> None:
    """Repositories are kept by name; a name is taken once."""
    home = Home.create(tmp_path / "home", demo=True, mounts=LOCAL)
    ref = RepositoryRef(name="main", url="/r", repository_id="ab", catalog=str(tmp_path / "c"), key_file="/k")
    home.add_repository(ref)
    with pytest.raises(UsageError):
        home.add_repository(ref)
    again = Home.open(tmp_path / "home", mounts=LOCAL)
    assert again.demo
    assert again.repository("main") == ref
    with pytest.raises(NoSuchThing):
        again.repository("other")


def test_no_home_and_damaged_home(tmp_path: Path) -> None:
    """No home, a damaged one and a newer one are told apart in words."""
    with pytest.raises(NoSuchThing, match="init"):
        Home.open(tmp_path / "none", mounts=LOCAL)
    Home.create(tmp_path / "home", mounts=LOCAL)
    file = tmp_path / "home" / "home.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 99'))
    with pytest.raises(EnvironmentFault, match="newer"):
        Home.open(tmp_path / "home", mounts=LOCAL)
    file.write_text("{")
    with pytest.raises(EnvironmentFault, match="damaged"):
        Home.open(tmp_path / "home", mounts=LOCAL)
    with pytest.raises(UsageError):
        Home.create(tmp_path / "home", mounts=LOCAL)


def test_where_the_home_is(tmp_path: Path) -> None:
    """--home beats $TUIBACK_HOME beats $XDG_DATA_HOME."""
    environ = {"TUIBACK_HOME": "/a", "XDG_DATA_HOME": "/b"}
    assert find_home_path("/c", environ) == Path("/c")
    assert find_home_path(None, environ) == Path("/a")
    assert find_home_path(None, {"XDG_DATA_HOME": "/b"}) == Path("/b/tuiback")
