"""What all dialogs share: a box in the middle, Esc cancels, buttons in one row."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from tuiback.console.widgets.lines import Line, LinePanel, line

T = TypeVar("T")


class TextBlock(LinePanel):
    """Fixed lines in a dialog, as high as they are many."""

    def __init__(self, lines: Sequence[Line], *, id: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self.put(lines)

    def put(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self.styles.height = max(1, len(lines))
        self.show(lines)


class FieldLabel(LinePanel):
    """The name of a field at its left."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.show([line((label, "label"))])


class Dialog(ModalScreen[T]):
    """A question in a box. Esc answers None; subclasses say what is in the box."""

    BINDINGS = [("escape", "cancel")]  # noqa: RUF012  Textual reads a plain list

    def __init__(self, title: str) -> None:
        super().__init__(classes="dialog")
        self.box_title = title

    def compose(self) -> ComposeResult:
        """The box with its content."""
        with Vertical(classes="box") as box:
            # Titles come as Content elsewhere; here a name may hold markup, so it is escaped.
            box.border_title = self.box_title.replace("[", r"\[")
            yield from self.content()

    def content(self) -> Iterable[Widget]:
        """What is in the box."""
        return ()

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)


def button_row(buttons: Sequence[tuple[str, str]], default: str) -> Horizontal:
    """Buttons of (id, label) in a row; the default one takes the focus when the dialog opens."""
    made = [Button(label, id=name, compact=True) for name, label in buttons]
    for button in made:
        if button.id == default:
            button.add_class("default")
    return Horizontal(*made, classes="buttons")
