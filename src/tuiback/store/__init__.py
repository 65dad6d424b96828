"""The bytes of a backup: a deduplicated, encrypted repository of write-once objects, format version 0.

Objects: config and keys/<generation> (JSON, each twice: see twofold), packs/<2 hex>/<id> (see pack), and
commits/<writer>/<number>-<hash> (see commits). Packs and commits are sealed as envelope describes.
A part's bytes are its chunks in a row; a mail with attachments is a recipe and pieces instead (see mime_form).
"""

from tuiback.store.backend import AlreadyThere, Backend, open_backend
from tuiback.store.check import CheckReport, Finding, check
from tuiback.store.keys import KeySlot, Secret
from tuiback.store.reader import Reader
from tuiback.store.repository import Repository, identify
from tuiback.store.savings import Savings
from tuiback.store.slots import KeySlots
from tuiback.store.writer import Writer

__all__ = [
    "AlreadyThere", "Backend", "CheckReport", "Finding", "KeySlot", "KeySlots", "Reader", "Repository", "Savings",
    "Secret", "Writer", "check", "identify", "open_backend",
]  # fmt: skip
