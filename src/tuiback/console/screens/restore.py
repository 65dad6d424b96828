"""The restore browser's commands: what is chosen becomes dry-runs, restores and exports."""

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on

from tuiback.console import figures
from tuiback.console.browse import Choice, choice_of_item, choice_of_place, selections_of, size_of
from tuiback.console.dialogs.export import ExportDialog
from tuiback.console.dialogs.pick import PickDialog
from tuiback.console.dialogs.restore import Planned, RestoreDialog, RestoreQuestion
from tuiback.console.item_rows import item_title
from tuiback.console.keys import RESTORE, bindings
from tuiback.console.screens.restore_looks import RestoreLooks
from tuiback.console.widgets.key_bar import KeyBar
from tuiback.console.widgets.rows import Column, Row
from tuiback.console.widgets.tag_table import TAG_LIMIT, TagTable
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from tuiback.catalog import Entry
    from tuiback.console.engine_app import Answer
    from tuiback.engine.commands import Restore

VERSION_COLUMNS = (
    Column("from", "FROM", 7), Column("until", "UNTIL", 7), Column("changed", "CHANGED", 16, grow=True),
    Column("size", "SIZE", 7, "right"),
)


class RestoreScreen(RestoreLooks):
    """Browse every account at every moment, tag, and bring back. What is tagged stays tagged over folders."""

    BINDINGS = bindings(RESTORE)

    # ---- what is chosen

    @on(TagTable.Tagged)
    def tags_changed(self, event: TagTable.Tagged) -> None:
        """Remember at which snapshot each row was tagged."""
        if event.refused:
            self.tell(f"More than {TAG_LIMIT} rows: tag the folder itself", "warn")
            return
        tagged = self.items.tags.keys() | self.places.tags.keys()
        self.chosen = {key: choice for key, choice in self.chosen.items() if key in tagged}
        for key in tagged - self.chosen.keys():
            if choice := self._choice(key):
                self.chosen[key] = choice
        self.show_lines()
        self.selection_changed()

    def _choice(self, key: str) -> Choice | None:
        if entry := self.items.tags.get(key):
            return self._item_choice(entry)
        place = self.places.tags.get(key)
        point = self.browser.point(place.protected) if place else None
        return choice_of_place(place, point.seq) if place and point else None

    def _item_choice(self, entry: "Entry") -> Choice | None:
        point = self.browser.point(self.place.protected) if self.place else None
        return choice_of_item(entry, point.seq, item_title(entry)) if point else None

    def choices(self) -> list[Choice]:
        """What is tagged; where nothing is, what the cursor of the pane in use stands on."""
        if self.chosen:
            return list(self.chosen.values())
        row = self.items.cursor_row
        if row is not None and self.focused is not self.places:
            here = self._item_choice(row.value)
        else:
            point = self.browser.point(self.place.protected) if self.place else None
            here = choice_of_place(self.place, point.seq) if self.place and point else None
        return [here] if here else []

    def action_versions(self) -> None:
        """Pick one version of the item; it is tagged as that."""
        row = self.items.cursor_row
        if row is None or self.place is None:
            return
        versions = self.browser.reader(self.place.protected).versions(row.value.account_id, row.value.item_id)
        dialog: PickDialog[Entry] = PickDialog(
            f"Versions of {item_title(row.value)}", VERSION_COLUMNS, [version_row(one) for one in versions],
            start=f"{row.value.from_seq}", hint="Enter shows and tags that version, Esc leaves",
        )
        self.app.push_screen(dialog, self._take_version)

    def _take_version(self, version: "Entry | None") -> None:
        if version is not None and self.place is not None:
            self.take_version(self.place, version, version.from_seq)

    # ---- restore

    def show_lines(self) -> None:
        """Draw the lines around the panes, and the key bar for what is chosen."""
        super().show_lines()
        self.selection_changed()

    def selection_changed(self) -> None:
        """F9 is grey until a dry-run of this selection exists."""
        self.query_one(KeyBar).switch(frozenset() if self._plan_fits() else frozenset({"restore"}))

    def _plan_fits(self) -> bool:
        return self.planned is not None and self.planned.command.selections == selections_of(self.choices())

    def action_dry_run(self) -> None:
        """Ask how, and show at once what a restore would do."""
        self._open_dialog(start_dry_run=True)

    def action_restore(self) -> None:
        """Restore what a dry-run has shown."""
        if self._plan_fits():
            self._open_dialog(start_dry_run=False)
        else:
            self.tell("F8 first: a restore starts from a dry-run of this selection", "warn")

    def _open_dialog(self, *, start_dry_run: bool) -> None:
        from tuiback.engine.commands import Restore

        choices = self.choices()
        if not choices:
            self.tell("Nothing to restore here", "warn")
            return
        question = RestoreQuestion(
            what=describe(choices),
            command=Restore(selections=selections_of(choices)),
            find_target=self._find_target,
            dry_run=self._ask_plan,
            planned=self.planned if self._plan_fits() else None,
            gone=self._gone(choices),
            start_dry_run=start_dry_run,
        )
        self.app.push_screen(RestoreDialog(question), self._start)

    def _find_target(self, text: str) -> str | None:
        found = self.browser.find_account(text, self.place.protected.account.kind) if self.place else None
        return found.account_id if found else None

    def _gone(self, choices: list[Choice]) -> str:
        wanted = {choice.account_id for choice in choices}
        gone = [
            one.title for one in self.browser.accounts or ()
            if one.account.account_id in wanted and one.overview.state == "gone"
        ]
        return f"{gone[0]} is gone from the tenant: choose another account." if gone else ""

    def _ask_plan(self, command: "Restore", answer: "Answer") -> None:
        def take(report: dict[str, object] | None, fault: TuibackError | None) -> None:
            answer(report, fault)
            dialog = self.app.screen
            if isinstance(dialog, RestoreDialog) and dialog.planned is not None:
                self.planned = dialog.planned
            self.selection_changed()

        self.console_app.submit(command, take)

    def _start(self, planned: Planned | None) -> None:
        if planned is not None:
            self.planned = None
            self.tell("Restore started; it goes on when this screen is left")
            self.console_app.submit(planned.command, self._restored)
            self.selection_changed()

    def _restored(self, report: dict[str, object] | None, fault: TuibackError | None) -> None:
        if fault is not None or report is None:
            self.console_app.tell(f"Restore: {fault}", "err")
            return
        told = ", ".join(f"{name} {report.get(name, 0)}" for name in ("restored", "skipped", "failed"))
        outcome = report.get("outcome", "")
        self.console_app.tell(f"Restore {outcome}: {told}", "notice" if outcome == "ok" else "warn")

    # ---- export

    def action_export(self) -> None:
        """Ask for a folder, then write what is chosen there."""
        choices = self.choices()
        if not choices:
            self.tell("Nothing to export here", "warn")
            return
        dialog = ExportDialog(describe(choices), str(Path.home() / "tuiback-export"))
        self.app.push_screen(dialog, lambda folder: self._export(choices, folder))

    def _export(self, choices: list[Choice], folder: str | None) -> None:
        from tuiback.engine.commands import Export

        if folder is not None:
            self.tell(f"Export to {folder} started")
            self.console_app.submit(Export(selections=selections_of(choices), to=folder), self._exported)

    def _exported(self, report: dict[str, object] | None, fault: TuibackError | None) -> None:
        if fault is not None or report is None:
            self.console_app.tell(f"Export: {fault}", "err")
            return
        size = report.get("bytes", 0)
        told = f"{report.get('files', 0)} files, {figures.size_text(size if isinstance(size, int) else 0)}"
        self.console_app.tell(f"Export {report.get('outcome', '')}: {told}")


def version_row(version: "Entry") -> "Row[Entry]":
    """A version of an item as a row."""
    until = "now" if version.until_seq is None else f"#{version.until_seq - 1}"
    cells = (f"#{version.from_seq}", until, version.modified[:16].replace("T", " "), figures.size(version.size))
    return Row(f"{version.from_seq}", cells, version)


def describe(choices: list[Choice]) -> str:
    """What is chosen, in one line: how much as far as it is known, the first name, and from which point."""
    size = size_of(choices)
    folders = sum(choice.folder for choice in choices)
    items = len(choices) - folders
    counts = [f"{count} {name}{'s' * (count != 1)}" for count, name in ((folders, "folder"), (items, "item")) if count]
    points = sorted({choice.seq for choice in choices})
    told = f"#{points[0]}" if len(points) == 1 else f"#{points[0]} to #{points[-1]}"
    more = f" and {len(choices) - 1} more" if len(choices) > 1 else ""
    counts[-1] += "" if size is None else f", {figures.size_text(size)}"
    return f"{' and '.join(counts)}, as of {told}: {choices[0].name}{more}"
