"""The bytes of a backup: a deduplicated, encrypted repository of write-once objects, format version 0.

Objects: config and keys/<n> (JSON, each twice: see twofold), packs/<2 hex>/<id> (see pack), and
commits/<writer>/<number>-<hash> (see commits). Packs and commits are sealed as envelope describes.
"""

from tuiback.store.backend import AlreadyThere, Backend, open_backend
from tuiback.store.check import CheckReport, Finding, check
from tuiback.store.keys import Secret
from tuiback.store.reader import Reader
from tuiback.store.repository import Repository
from tuiback.store.writer import Writer

__all__ = [
    "AlreadyThere", "Backend", "CheckReport", "Finding", "Reader", "Repository", "Secret", "Writer", "check",
    "open_backend",
]  # fmt: skip
