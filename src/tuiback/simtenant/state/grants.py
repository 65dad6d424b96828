"""Who may see a file or folder beside its owner."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission: to the person number `person`, or a link where that is None.

    `scope` of a link is anonymous, organization or users; its `people` are those it was made for.
    """

    grant_id: str
    role: str
    shared: datetime
    person: int | None = None
    scope: str = ""
    people: tuple[int, ...] = ()

    @property
    def reach(self) -> str:
        """The scope that the `shared` facet tells."""
        return self.scope or "users"
