"""Tells which containers deserve a second look because something left another one for a place unknown."""


class Whereabouts:
    """What a pass has walked, what left, and what came.

    A message moved while the pass goes on may leave a folder walked late for one walked before. Without a second
    look it would be in no folder of the snapshot. Messages really deleted cost the same look, one request a folder.
    """

    def __init__(self) -> None:
        self._walked: list[str] = []
        self._left: dict[str, str] = {}
        self._came: set[str] = set()

    def walk(self, container_id: str) -> None:
        """The container is being walked."""
        self._walked.append(container_id)

    def is_walked(self, container_id: str) -> bool:
        """Whether the container was walked."""
        return container_id in self._walked

    def leave(self, item_id: str, container_id: str) -> None:
        """The item is no longer in the container."""
        self._left[item_id] = container_id

    def come(self, item_id: str) -> None:
        """The item was found in some container."""
        self._came.add(item_id)

    def to_look_at_again(self) -> list[str]:
        """The containers walked before one that an item left without being found anywhere."""
        missed = {c for item_id, c in self._left.items() if item_id not in self._came}
        last = max((n for n, c in enumerate(self._walked) if c in missed), default=0)
        return self._walked[:last]
