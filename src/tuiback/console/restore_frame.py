"""Draws the lines around the restore browser's panes: where one is, at which point in time, what each pane holds."""

from tuiback.console import figures
from tuiback.console.browse import Browser, Place, timeline
from tuiback.console.text import clip_left
from tuiback.console.widgets.lines import Line, Span, fit_line, line, line_width, spread

TITLE = " RESTORE "


def crumbs_line(browser: Browser, place: Place | None, width: int) -> Line:
    """Task > account > folders at the left, the point in time at the right."""
    if place is None:
        return fit_line(line((TITLE, "title")), width)
    folders = [*place.parents, place.name] if place.folder else [place.name]
    path = " > ".join([place.protected.account.task, *folders])
    point = browser.point(place.protected)
    right = line(("  never backed up ", "warn"))
    if point is not None:
        latest = Span("latest", "ok") if browser.moment is None else Span("EARLIER", "match")
        right = (Span("  "), latest, Span(f"  as of {figures.date_time(point.taken_at)} #{point.seq} ", "info"))
    # The folder one is in matters more than the way there.
    room = width - line_width(right) - len(TITLE)
    return spread(line((TITLE, "title"), clip_left(path, room)), right, width)


def timeline_line(browser: Browser, place: Place | None, width: int) -> Line:
    """All recovery points of the account over the line, and the keys that move among them."""
    if place is None:
        return ()
    points = browser.points(place.protected)
    title = f" {len(points)} point{'s' * (len(points) != 1)} "
    keys = line(("  [ earlier  ] later  t pick ", "dim"))
    marks = timeline(points, browser.point(place.protected), width - len(title) - 33)
    return spread((Span(title, "label"), Span("<", "frame"), *marks, Span(">", "frame")), keys, width)


def range_title(name: str, top: int, in_sight: int, count: int, *, complete: bool) -> str:
    """`ITEMS 1-9 of 84 203`; a plus says that the rest is still being counted."""
    first = top + 1 if count else 0
    return f"{name} {first}-{min(top + in_sight, count)} of {figures.number(count)}{'' if complete else '+'}"
