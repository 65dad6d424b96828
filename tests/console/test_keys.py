"""The key table holds together."""

import pytest

from tuiback.console.keys import EVERYWHERE, LIST, SCREENS, Key, bindings, labelled


@pytest.mark.parametrize("name", SCREENS)
def test_no_key_has_two_meanings_on_a_screen(name: str) -> None:
    """Screen, lists and what works everywhere share no key."""
    keys = [key for row in (*SCREENS[name], *LIST, *EVERYWHERE) for key in row.keys]
    assert sorted(keys) == sorted(set(keys))


ROWS = [row for keys in (*SCREENS.values(), EVERYWHERE) for row in keys]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.action)
def test_every_function_key_has_a_letter(row: Key) -> None:
    """Terminals eat F-keys, so none is the only way."""
    if row.keys[0].startswith("f") and row.keys[0][1:].isdigit():
        assert any(len(key) == 1 for key in row.keys)


@pytest.mark.parametrize("name", SCREENS)
def test_every_screen_has_a_full_key_bar(name: str) -> None:
    """The bar shows help first and quit last, in the order of the F-keys."""
    shown = labelled((*SCREENS[name], *EVERYWHERE))
    assert [shown[0].label, shown[-1].label] == ["Help", "Quit"]
    numbers = [int(key.keys[0][1:]) for key in shown]
    assert numbers == sorted(set(numbers))


def test_bindings_carry_an_id() -> None:
    """Every binding can be remapped by its action."""
    assert all(getattr(binding, "id", None) for binding in bindings(EVERYWHERE))
