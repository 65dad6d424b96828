import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuiback.catalog import Catalog, CatalogReader
from tuiback.errors import Damage

from .build import A, Writer, chunk_id, closed, pack, part, version
from .conftest import Bench


def test_readers_of_other_threads_see_each_commit_whole(tmp_path: Path) -> None:
    """Every version that a reader sees has its parts and its chunk, while the writer replaces them all the time."""
    path, writer, commits = tmp_path / "catalog.db", Writer(), 100
    catalog = Catalog.create(path, "repo-1")
    reader = CatalogReader(path)

    def write() -> None:
        for number in range(1, commits + 1):
            text = f"text {number}"
            versions = tuple(version(f"m{n}", 1, parts=(part(text),), etag=text) for n in range(20))
            writer.apply(catalog, pack(f"p{number}", [text]), versions=versions)
        writer.apply(catalog, snapshots_closed=(closed(1),))

    def read() -> int:
        while not reader.last_seq(A):
            known = reader.known(A, [f"m{n}" for n in range(20)])
            texts = {each.etag for each in known.values()}
            assert len(texts) <= 1
            for each in known.values():
                assert each.parts == (part(each.etag),)
            assert set(reader.find_chunks([chunk_id(text) for text in texts])) == {chunk_id(text) for text in texts}
        return len(reader.known(A, [f"m{n}" for n in range(20)]))

    with ThreadPoolExecutor(5) as pool:
        reading = [pool.submit(read) for _ in range(4)]
        pool.submit(write).result(timeout=60)
        assert [each.result(timeout=60) for each in reading] == [20] * 4
    reader.close()
    catalog.close()


def test_a_reader_opens_what_no_writer_holds(bench: Bench) -> None:
    """After the writer has folded its log away, and when a new one comes later."""
    bench.apply(versions=(version("m", 1),))
    bench.catalog.close()
    bench.reader.close()
    reader = CatalogReader(bench.path)
    assert reader.known(A, ["m"])["m"].live
    bench.catalog = Catalog.open(bench.path)
    bench.apply(versions=(version("n", 1),))
    assert reader.known(A, ["n"])["n"].live
    reader.close()


def test_close_ends_the_connections_of_every_thread(bench: Bench) -> None:
    """Also of threads that still live."""
    asked, go_on = threading.Event(), threading.Event()

    def ask() -> None:
        bench.reader.last_run_number()
        asked.set()
        go_on.wait(30)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(30)
    bench.reader.last_run_number()
    assert len(bench.reader._all) == 2
    bench.reader.close()
    assert not bench.reader._all
    go_on.set()
    thread.join()


def test_a_connection_goes_with_its_thread(bench: Bench) -> None:
    """Threads that come and go leave no open files behind."""
    bench.reader.last_run_number()
    for _ in range(3):
        thread = threading.Thread(target=bench.reader.last_run_number)
        thread.start()
        thread.join()
    gc.collect()
    assert len(bench.reader._all) == 1


def test_a_broken_page_is_told_as_damage(bench: Bench) -> None:
    """With what to do, instead of SQLite's own exception."""
    bench.apply(versions=tuple(version(f"m{n}", 1, name="x" * 500) for n in range(500)))
    bench.reader.close()
    bench.catalog.close()
    size = bench.path.stat().st_size
    with bench.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    reader = CatalogReader(bench.path)
    with pytest.raises(Damage, match="rebuild-catalog"):
        reader.repository_id()
    reader.close()
