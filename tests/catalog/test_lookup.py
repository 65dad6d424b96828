import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuiback.catalog import short_id
from tuiback.errors import Ambiguous, NoSuchThing
from tuiback.model import Kind, VersionOpened

from .build import A, closed, folder, removal, version
from .conftest import Bench

HOSTILE = ["/", "%", "%2F", "#", "a#0123abcd", "", ".", "..", "\x1b[2J\x00", "@inbox", "a", "a", "A", "a/b", "[red]"]


def walked(bench: Bench, seq: int = 1, item_id: str = "") -> list[tuple[str, str]]:
    """Paths and ids."""
    return [(path, entry.item_id) for path, entry in bench.reader.walk(A, seq, item_id)]


def resolved(bench: Bench, path: str, seq: int = 1) -> str:
    """The id of the item that the path names."""
    entry = bench.reader.resolve_path(A, path, seq)
    assert entry is not None
    return entry.item_id


def test_every_hostile_name_has_one_path_that_leads_back(bench: Bench) -> None:
    """Escapes, empty names, dots, control characters and duplicates at two levels, as folders and as messages."""
    versions: list[VersionOpened] = []
    for n, name in enumerate(HOSTILE):
        versions += [folder(f"f{n}", 1, name=name), version(f"m{n}", 1, name=name)]
        versions += [version(f"m{n}-{k}", 1, name=inner, parent_id=f"f{n}") for k, inner in enumerate(HOSTILE)]
    bench.apply(versions=tuple(versions), snapshots_closed=(closed(1),))
    found = walked(bench)
    assert sorted(item_id for _, item_id in found) == sorted(opened.item_id for opened in versions)
    assert len({path for path, _ in found}) == len(found)
    for path, item_id in found:
        assert resolved(bench, path) == item_id
        assert bench.reader.path_of(A, item_id, 1) == path


@settings(deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(alphabet="a/%#@F2\x1b", max_size=3) | st.sampled_from(HOSTILE), max_size=12))
def test_paths_lead_back_whatever_the_names(bench: Bench, names: list[str]) -> None:
    """A chain of folders and the messages beside them, of any names."""
    seq = bench.reader.last_seq(A) + 1
    chain = [""] + [f"{seq}-{n}" for n in range(len(names))]
    pairs = list(zip(names, chain, chain[1:], strict=False))
    versions = [folder(item_id, seq, name=name, parent_id=parent) for name, parent, item_id in pairs]
    versions += [version(f"m{item_id}", seq, name=name, parent_id=parent) for name, parent, item_id in pairs]
    before = bench.reader.live_item_ids(A, "inbox") | bench.reader.live_item_ids(A, "folders")
    gone = tuple(removal(item_id, seq, where) for item_id in before for where in ("inbox", "folders"))
    bench.apply(versions=tuple(versions), removals=gone, snapshots_closed=(closed(seq),))
    found = walked(bench, seq)
    assert len(found) == 2 * len(names)
    for path, item_id in found:
        assert resolved(bench, path, seq) == item_id
        assert bench.reader.path_of(A, item_id, seq) == path


def test_a_name_that_fits_several_items_is_ambiguous(bench: Bench) -> None:
    """The error lists the candidates as they can be given."""
    bench.apply(versions=(version("x", 1, name="Re: a/b"), version("y", 1, name="Re: a/b")))
    with pytest.raises(Ambiguous, match=short_id("y")) as caught:
        bench.reader.resolve_path(A, "Re: a%2Fb", 1)
    assert caught.value.exit_code == 6
    assert resolved(bench, f"Re: a%2Fb#{short_id('y')}") == "y"


def test_a_folder_is_preferred_where_only_a_folder_fits(bench: Bench) -> None:
    """A trailing slash, or more path behind it, chooses the folder before the message of the same name."""
    bench.apply(versions=(folder("f", 1, name="a"), version("m", 1, name="a"), version("n", 1, parent_id="f")))
    assert resolved(bench, "a/") == "f"
    assert resolved(bench, "/a/n") == "n"
    with pytest.raises(Ambiguous):
        bench.reader.resolve_path(A, "a", 1)
    with pytest.raises(NoSuchThing):
        bench.reader.resolve_path(A, "a/n/", 1)


def test_the_root_is_no_entry(bench: Bench) -> None:
    """Empty or a slash."""
    assert bench.reader.resolve_path(A, "", 1) is None
    assert bench.reader.resolve_path(A, "/", 1) is None


def test_a_literal_name_that_looks_like_a_short_id_can_be_typed(bench: Bench) -> None:
    """Only where no item has that short id."""
    bench.apply(versions=(version("m", 1, name="ticket#0123abcd"),))
    assert resolved(bench, "ticket#0123abcd") == "m"


def test_well_known_folders_are_found_in_any_language(bench: Bench) -> None:
    """By what Microsoft calls them, at the first place of a path only."""
    bench.apply(
        versions=(
            folder("f", 1, name="Posteingang", attrs=(("well_known", "inbox"),)),
            folder("g", 1, name="@sent", parent_id="f"),
            folder("h", 1, name="@drafts"),
        )
    )
    assert resolved(bench, "@inbox/@sent") == "g"
    assert resolved(bench, "@inbox") == "f"
    assert resolved(bench, "@drafts") == "h"
    with pytest.raises(NoSuchThing, match="@deleted"):
        bench.reader.resolve_path(A, "@deleted", 1)


def test_paths_are_those_of_their_snapshot(bench: Bench) -> None:
    """A folder's later name does not change where an item lay, and a removed item keeps its last path."""
    bench.apply(versions=(folder("f", 1, name="old"), version("m", 1, parent_id="f")), snapshots_closed=(closed(1),))
    bench.apply(versions=(folder("f", 2, name="new"),), removals=(removal("m", 2),), snapshots_closed=(closed(2),))
    assert bench.reader.path_of(A, "m", 1) == "old/m"
    assert bench.reader.path_of(A, "m", 2) == "new/m"
    with pytest.raises(NoSuchThing):
        bench.reader.path_of(A, "m", 0)
    with pytest.raises(NoSuchThing, match="#2"):
        bench.reader.resolve_path(A, "new/m", 2)


def test_a_walk_goes_through_one_folder_or_yields_one_item(bench: Bench) -> None:
    """The folder comes before what lies in it; whole paths all the way."""
    bench.apply(
        versions=(
            folder("f", 1), folder("g", 1, parent_id="f"), version("m", 1, parent_id="g"), version("n", 1),
            version("o", 1, parent_id="f"),
        )
    )
    assert walked(bench, item_id="f") == [("f", "f"), ("f/g", "g"), ("f/g/m", "m"), ("f/o", "o")]
    assert walked(bench, item_id="m") == [("f/g/m", "m")]
    with pytest.raises(NoSuchThing):
        walked(bench, item_id="nothing")


def test_a_walk_misses_nothing_whatever_happened_to_the_folders(bench: Bench) -> None:
    """Items of a removed folder, of one never listed, and of two folders that lie in each other."""
    bench.apply(versions=(folder("f", 1, name="away"),), snapshots_closed=(closed(1),))
    bench.apply(
        versions=(
            version("in removed", 2, parent_id="f"), version("in unknown", 2, parent_id="?"),
            folder("c", 2, parent_id="d"), folder("d", 2, parent_id="c"), version("in circle", 2, parent_id="c"),
        ),
        removals=(removal("f", 2, "folders"),),
        snapshots_closed=(closed(2),),
    )
    found = walked(bench, 2)
    assert sorted(item_id for _, item_id in found) == ["c", "d", "in circle", "in removed", "in unknown"]
    assert ("away/in removed", "in removed") in found
    assert (f"#{short_id('?')}/in unknown", "in unknown") in found


def test_a_tree_deeper_than_pythons_stack_is_walked(bench: Bench) -> None:
    """Folders nest as deep as somebody made them."""
    depth = 1500
    bench.apply(versions=tuple(folder(f"f{n}", 1, parent_id=f"f{n - 1}" if n else "", name="d") for n in range(depth)))
    paths = [path for path, entry in bench.reader.walk(A, 1) if entry.kind is Kind.FOLDER]
    assert paths[-1] == "/".join("d" * depth)


def test_what_is_stored_below_is_what_a_walk_finds(bench: Bench) -> None:
    """The same entries, folders first, those of one folder in the order of their storing, lost folders' content too."""
    versions = [folder("f", 1, name="zzz"), folder("g", 1, parent_id="f")]
    versions += [version(f"m{n}", 1, name=f"{9 - n}", parent_id=parent) for n, parent in enumerate(["", "f", "g"] * 3)]
    versions += [version("lost", 1, parent_id="never seen")]
    bench.apply(versions=tuple(versions), snapshots_closed=(closed(1),))
    bench.apply(versions=(version("m1", 2, parent_id="f"),), snapshots_closed=(closed(2),))
    for seq in (1, 2):
        stored = list(bench.reader.stored_below(A, seq))
        assert sorted(map(repr, stored)) == sorted(repr(entry) for _, entry in bench.reader.walk(A, seq))
        ids = [entry.item_id for entry in stored]
        assert ids.index("f") < min(ids.index("g"), ids.index("m1"), ids.index("m4"))
    below = [entry.item_id for entry in bench.reader.stored_below(A, 1, "f")]
    assert below == ["g", "m1", "m4", "m7", "m2", "m5", "m8"]


def test_stored_below_ends_where_folders_lie_in_each_other(bench: Bench) -> None:
    """Damaged parents can't make it go round for ever."""
    bench.apply(
        versions=(folder("f", 1, parent_id="g"), folder("g", 1, parent_id="f"), version("m", 1, parent_id="g")),
        snapshots_closed=(closed(1),),
    )
    assert sorted(entry.item_id for entry in bench.reader.stored_below(A, 1)) == ["f", "g", "m"]
