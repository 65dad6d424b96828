"""The main job into a bucket of a real object store, as a user runs it, also while the store dies and comes back."""

import random
import shutil
import threading
from pathlib import Path

import pytest

from tests.acceptance.comparing import compare_exports
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tests.seaweed import SeaweedFS, environment_for
from tests.store.faulty_proxy import at_first_large, kill_in_the_middle, proxy_before
from tuiback.catalog import same_content


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """12 files of up to 6 MB that no compressor shrinks."""
    chance = random.Random(11)
    folder = tmp_path / "files"
    folder.mkdir()
    for number, size in enumerate([0, 1, 4000, 131_072, 131_073, *[900_000] * 6, 6_000_000]):
        (folder / f"{number}.bin").write_bytes(chance.randbytes(size))
    return folder


def test_backup_to_a_bucket_whose_store_dies_in_the_run(tmp_path: Path, files: Path, seaweed: SeaweedFS) -> None:
    """Killed in the middle of a pack and started again, the store costs time only: all is there and checks clean.

    The catalog rebuilt from the bucket is equal, and no credential lies in the home.
    """
    killed = threading.Event()

    def kill() -> None:
        seaweed.kill()
        killed.set()

    options = ("--files", str(files), "--messages", "15", "--users", "1")
    with simulated(*options) as tenant, proxy_before(seaweed.port) as proxy:
        installed = Installation(tmp_path / "nas", seaweed.new_place(), environment_for(proxy.port))
        installed.set_up(tenant)
        proxy.spoil("PUT", at_first_large(kill_in_the_middle(kill)))
        run = installed.start("--json", "run", "--all")
        assert killed.wait(60), "no pack was ever put"
        seaweed.start()
        out, err = run.communicate(timeout=100)
        assert run.returncode == 0, (out, err)
        assert [again["items_new"] for again in installed.ask("run", "--all")["runs"]] == [0, 0]
        assert installed.ask("check", "--read-data")["ok"]
        catalog = next(installed.home.rglob("catalog.db"))
        kept = tmp_path / "kept.db"
        shutil.copy(catalog, kept)
        installed.ask("rebuild-catalog")
        assert same_content(kept, catalog) == []
        assert compare_exports(installed, Plain(tenant)) > 12
        (repository,) = installed.ask("repository", "list")["repositories"]
        assert repository["url"] == installed.repository
        secret = seaweed.environment["AWS_SECRET_ACCESS_KEY"].encode()
        assert not [path for path in installed.home.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_wrong_credentials_make_nothing(tmp_path: Path, seaweed: SeaweedFS) -> None:
    """With a wrong key init ends with the environment's exit code, says what to check, and shows no credential."""
    wrong = {**seaweed.environment, "AWS_SECRET_ACCESS_KEY": "a-wrong-secret"}
    installed = Installation(tmp_path / "nas", seaweed.new_place(), wrong)
    installed.folder.mkdir()
    key_file = str(installed.folder / "tuiback.key")
    refused = installed.start("init", "--repository", installed.repository, "--key-file", key_file)
    out, err = refused.communicate(timeout=60)
    assert refused.returncode == 7
    assert b"check AWS_ACCESS_KEY_ID" in err
    assert b"a-wrong-secret" not in out + err
