"""Counts what each container holds against what the service says it holds."""

from collections.abc import Mapping


class Tally:
    """Counts per container from the moment that its live items were counted.

    Containers whose total the service stated in this pass are compared with that.
    """

    def __init__(self) -> None:
        self._stated: dict[str, int] = {}
        self._present: dict[str, int] = {}

    def expect(self, container_id: str, total: int) -> None:
        """The service says that the container holds `total` items."""
        self._stated[container_id] = total

    def find_total(self, container_id: str) -> int | None:
        """What the service stated, if anything."""
        return self._stated.get(container_id)

    def is_started(self, container_id: str) -> bool:
        """Whether the container's live items were counted."""
        return container_id in self._present

    def start(self, container_id: str, live: int) -> None:
        """So many items of the container were live before anything of it was touched."""
        self._present[container_id] = live

    def add(self, container_id: str, by: int) -> None:
        """Items came to, or left, a container whose walk was started."""
        if container_id in self._present:
            self._present[container_id] += by

    def drop(self, container_id: str) -> None:
        """The container could not be walked to its end: its figures say nothing."""
        self._stated.pop(container_id, None)
        self._present.pop(container_id, None)

    def present(self, container_id: str) -> int:
        """How many items the container holds as far as the pass knows."""
        return self._present[container_id]

    def counted(self) -> list[str]:
        """The containers whose live items were counted."""
        return list(self._present)

    def short(self, owed: Mapping[str, int]) -> list[str]:
        """The containers that hold fewer items than stated, owed ones counted as held."""
        return [c for c, total in self._stated.items() if self._present.get(c, total) + owed.get(c, 0) < total]
