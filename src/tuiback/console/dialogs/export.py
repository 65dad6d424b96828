"""Asks where exported files shall go."""

from collections.abc import Iterable
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from tuiback.console.dialogs.base import Dialog, FieldLabel, TextBlock, button_row
from tuiback.console.widgets.lines import line


class ExportDialog(Dialog[str]):
    """Answers an absolute folder or .zip file, None for Esc."""

    def __init__(self, what: str, folder: str) -> None:
        super().__init__("Export")
        self.what = what
        self.folder = folder

    def content(self) -> Iterable[Widget]:
        """What is exported, and the folder."""
        yield TextBlock([line(self.what), line()])
        box = Input(self.folder, compact=True, id="folder")
        box.cursor_blink = False
        yield Horizontal(FieldLabel("Folder"), box, classes="field")
        yield TextBlock([line(("A folder on this machine, or a file that ends in .zip; mail becomes .eml", "dim"))])
        yield button_row([("export", "Export"), ("cancel", "Cancel")], "cancel")

    def on_mount(self) -> None:
        """The folder can be typed at once; an export changes nothing at Microsoft."""
        self.query_one("#folder", Input).focus()

    def on_input_submitted(self) -> None:
        """Enter in the folder exports."""
        self._export()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Export or cancel."""
        if event.button.id == "export":
            self._export()
        else:
            self.dismiss(None)

    def _export(self) -> None:
        text = self.query_one("#folder", Input).value.strip()
        if text:
            self.dismiss(str(Path(text).expanduser().absolute()))
