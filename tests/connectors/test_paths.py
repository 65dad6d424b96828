"""Request paths."""

from tuiback.connectors.paths import named_child, path


def test_segments_are_encoded_on_their_own() -> None:
    """A slash or colon in an id or name can't lead elsewhere, and drive ids stay as Graph writes them."""
    assert path("drives", "b!xA9h-_", "items", "a/b:c") == "/drives/b!xA9h-_/items/a%2Fb%3Ac"
    assert path("users", "AAMk=") == "/users/AAMk="


def test_a_named_child() -> None:
    """Names of any script and with reserved characters are one segment."""
    assert named_child("/drives/d/items/p", "100% #1 ж.txt") == "/drives/d/items/p:/100%25%20%231%20%D0%B6.txt"
