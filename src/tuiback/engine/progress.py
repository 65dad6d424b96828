"""How far a job has come; changed by the job, read by the screen."""

import msgspec


class Progress(msgspec.Struct):
    """Counts of items; `what` is the item in work."""

    done: int = 0
    total: int = 0
    bytes_done: int = 0
    failed: int = 0
    what: str = ""

    def reach(self, done: int, total: int) -> None:
        """So many of so many are done."""
        self.done, self.total = done, total
