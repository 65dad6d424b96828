"""`report` and `coverage`: what an auditor asks for, and who is protected by nothing."""

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import engine_link, open_view, reach_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import field
from tuiback.cli.waiting import EXIT_OK, EXIT_PARTIAL, await_answer
from tuiback.cli.wording import safe_line
from tuiback.engine.restores.naming import parse_moment
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.engine.upkeep.reporting import Cell, Section, Span

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# What a spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@")
_STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;margin-bottom:2em}"
    "td,th{border:1px solid #bbb;padding:2px 8px;text-align:left;vertical-align:top}th{background:#eee}"
)
_COVERAGE = (
    field("ACCOUNT", "account"),
    field("KIND", "kind"),
    field("TENANT", "tenant"),
    field("REASON", "reason"),
)


@click.command()
@click.option("--from", "start", required=True, metavar="D", help="The first day: 2026-01-01.")
@click.option("--to", "end", required=True, metavar="D", help="The last day, which counts too.")
@click.option("--format", "form", type=click.Choice(["csv", "html", "json"]), help="html without it and --json.")
@click.pass_obj
def report(call: Invocation, start: str, end: str, form: str | None) -> None:
    """Report a span of time to an auditor.

    Runs, recovery points, debts, checks, restores with their reasons, changes, holds and retention.
    """
    from tuiback.engine.upkeep.reporting import Span, report_sections

    span = Span(_beginning_of(start), parse_moment(end))
    if span.end < span.start:
        raise UsageError("the span ends before it begins", f"{start} to {end}", "exchange --from and --to")
    now = datetime.now(UTC)
    with open_view(call) as view:
        told = {
            name: list(report_sections(reader, view.home.state_path(name), span, now))
            for name, reader in view.readers()
        }
    form = form or ("json" if call.output.as_json else "html")
    if form == "json":
        fields = {name: {section.name: _rows_of(section) for section in sections} for name, sections in told.items()}
        call.output.document("report", {"from": span.start, "to": span.end, "made_at": now, "repositories": fields})
    else:
        text = as_csv(told) if form == "csv" else as_html(told, span, now)
        call.output.raw(text.encode(errors="replace"))


@click.command()
@click.pass_obj
def coverage(call: Invocation) -> int:
    """List who in the tenants is protected by no task, and why; Microsoft is asked who is there now.

    Ends with 3 where a tenant could not be asked.
    """
    from tuiback.engine.commands import FindCoverage

    with engine_link(reach_home(call)) as link:
        answer = await_answer(link, link.submit(FindCoverage()), call.output, lambda _: "asking Microsoft")
    call.output.lines("coverage", answer["rows"], _COVERAGE)
    call.output.flush()
    call.output.trouble(answer["troubles"])
    return EXIT_PARTIAL if answer["troubles"] else EXIT_OK


def as_csv(told: "Mapping[str, Sequence[Section]]") -> str:
    """The sections one below the other: their name, their columns, their rows, an empty line."""
    out = io.StringIO()
    writer = csv.writer(out)
    for repository, sections in told.items():
        for section in sections:
            writer.writerow([section.name, _harmless(repository)])
            writer.writerow(section.columns)
            writer.writerows([_harmless(_text(cell)) if isinstance(cell, str) else _text(cell) for cell in row]
                             for row in section.rows)  # fmt: skip
            writer.writerow([])
    return out.getvalue()


def as_html(told: "Mapping[str, Sequence[Section]]", span: "Span", now: datetime) -> str:
    """A page that loads nothing and runs nothing."""
    return "\n".join(_html_lines(told, span, now)) + "\n"


def _html_lines(told: "Mapping[str, Sequence[Section]]", span: "Span", now: datetime) -> Iterator[str]:
    title = f"tuiback: {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}"
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
    yield f"<p>Made {_text(now)}. Times are UTC, sizes are bytes.</p>"
    for repository, sections in told.items():
        yield f"<h2>Repository {_escaped(repository)}</h2>"
        for section in sections:
            yield f"<h3>{_escaped(section.title)} ({len(section.rows):,})</h3><table><tr>"
            yield "".join(f"<th>{_escaped(column.replace('_', ' '))}</th>" for column in section.columns) + "</tr>"
            for row in section.rows:
                yield "<tr>" + "".join(f"<td>{_escaped(_text(cell))}</td>" for cell in row) + "</tr>"
            yield "</table>"
    yield "</body></html>"


def _rows_of(section: "Section") -> "list[dict[str, Cell]]":
    return [dict(zip(section.columns, row, strict=True)) for row in section.rows]


def _text(cell: "Cell") -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(cell, datetime) else str(cell)


def _harmless(text: str) -> str:
    """Text that a stranger wrote, as no spreadsheet takes it for a formula."""
    return f"'{safe_line(text)}" if text.lstrip().startswith(_FORMULA) else safe_line(text)


def _escaped(text: str) -> str:
    return html.escape(safe_line(text))


def _beginning_of(text: str) -> datetime:
    """The moment that --from names; a date alone means its first one."""
    moment = parse_moment(text)
    if _DATE.fullmatch(text.strip()):
        return datetime.combine(moment.date(), time.min).astimezone()
    return moment
