"""Says which home writes to a repository, once one has taken it over from another: that other one refuses to."""

from tuiback.errors import EnvironmentFault
from tuiback.model import Owner


def refusal_of(owner: Owner | None, home_id: str, url: str) -> EnvironmentFault | None:
    """Why the home of this id must not write to the repository at `url`; None where it may."""
    if owner is None or owner.home_id == home_id:
        return None
    return EnvironmentFault(
        f"the home on {owner.host} has taken the repository over ({owner.since:%Y-%m-%d %H:%M} UTC);"
        " this one does not write to it any more",
        url,
        f"end this engine; to take it back, run 'tuiback adopt {url} --take-over' here",
    )
