"""Restores what `benching.own` backed up, on the path of real exports: `python -m tuiback.cli.benching.own_restore`.

Arguments: HOME FOLDER SEQ. It is a program of its own because it needs nothing of what a backup loads first.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tuiback.catalog import CatalogReader
from tuiback.cli.secret import get_secret
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import MAIN, Home
from tuiback.engine.restores.export import Exporter, Names
from tuiback.engine.restores.targets import FolderTarget
from tuiback.errors import TuibackError
from tuiback.model import FOLDER_KINDS
from tuiback.store import Reader, Repository, open_backend


def restore(home_path: Path, folder: Path, seq: int) -> None:
    """Write what snapshot `seq` holds below the folder. Raises TuibackError."""
    home = Home.open(home_path)
    ref = home.repository(MAIN)
    secret = get_secret(ref.key_file, ref.url, os.environ, None)
    reader = CatalogReader(home.catalog_path(MAIN))
    repository = Repository.open(
        open_backend(ref.url), secret, clock=SystemClock(), expected_id=ref.repository_id, probe=False
    )
    exporter = Exporter(reader, Reader(repository, reader), FolderTarget(folder, overwrite=False), "native")
    (account,) = reader.accounts()
    entries = (entry for entry in reader.stored_below(account.account_id, seq) if entry.kind not in FOLDER_KINDS)
    exporter.write_batch(entries, Names(reader, seq))
    exporter.finish()
    exporter.close()
    reader.close()
    if exporter.report.failed:
        raise TuibackError(f"{exporter.report.failed} files could not be restored: {exporter.report.errors[0]}")


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments name."""
    home, folder, seq = arguments
    restore(Path(home), Path(folder), int(seq))


if __name__ == "__main__":
    main(sys.argv[1:])
