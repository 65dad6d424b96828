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
from tuiback.engine.restores import ahead
from tuiback.errors import TuibackError
from tuiback.model import FOLDER_KINDS


def restore(home_path: Path, folder: Path, seq: int) -> None:
    """Write what snapshot `seq` holds below the folder. Raises TuibackError."""
    home = Home.open(home_path)
    ref = home.repository(MAIN)
    reader = CatalogReader(home.catalog_path(MAIN))
    (account,) = reader.accounts()
    items = sum(point.items for point in reader.points(account.account_id) if point.seq == seq)
    # The other cores load what they need while this one does.
    started = ahead.start_for(items)
    from tuiback.engine.restores.export import Exporter, Names
    from tuiback.engine.restores.lanes import HelpFrom
    from tuiback.engine.restores.targets import FolderTarget
    from tuiback.store import Reader, Repository, open_backend

    secret = get_secret(ref.key_file, ref.url, os.environ, None)
    repository = Repository.open(
        open_backend(ref.url), secret, clock=SystemClock(), expected_id=ref.repository_id, probe=False
    )
    help_from = HelpFrom(ahead.helpers_of_this_machine(), ahead=started)
    target = FolderTarget(folder, overwrite=False)
    exporter = Exporter(reader, Reader(repository, reader), target, "native", help_from)
    entries = (entry for entry in reader.stored_below(account.account_id, seq) if entry.kind not in FOLDER_KINDS)
    try:
        exporter.write_batch(entries, Names(reader, seq))
        exporter.finish()
    finally:
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
