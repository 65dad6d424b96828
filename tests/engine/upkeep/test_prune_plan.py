"""Which packs a prune drops, writes anew or leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.engine.upkeep.prune_plan import DEAD_SHARE, PackUse, PrunePlan, orphaned, plan_prune

MIB = 1024 * 1024


def use(name: str, stored: int, live: int) -> PackUse:
    """A pack of `stored` MiB with `live` MiB needed."""
    return PackUse(name, stored * MIB, live * MIB)


@pytest.mark.parametrize(
    ("uses", "plan"),
    [
        ([], PrunePlan()),
        ([use("full", 16, 16)], PrunePlan(keep=("full",))),
        ([use("dead", 16, 0)], PrunePlan(drop=("dead",), dead_bytes=16 * MIB)),
        ([use("worn", 16, 11)], PrunePlan(repack=("worn",), dead_bytes=5 * MIB)),
        ([use("just", 16, 12)], PrunePlan(keep=("just",))),
        ([use("lone", 3, 3), use("full", 16, 16)], PrunePlan(keep=("full", "lone"))),
        ([use("a", 3, 3), use("b", 2, 2)], PrunePlan(merge=("a", "b"))),
        (
            [use("worn", 16, 4), use("lone", 3, 3)],
            PrunePlan(repack=("worn",), merge=("lone",), dead_bytes=12 * MIB),
        ),
        ([use("more than it has", 3, 4)], PrunePlan(keep=("more than it has",))),
    ],
)
def test_plans(uses: list[PackUse], plan: PrunePlan) -> None:
    """Dead ones go, worn ones are written anew, small ones merged if there are two."""
    assert plan_prune(uses) == plan


def test_nothing_dead_may_stay() -> None:
    """With a share of 0 a single dead byte is reason enough."""
    assert plan_prune([use("one", 16, 15)], dead_share=0).repack == ("one",)


@given(st.lists(st.tuples(st.integers(1, 40 * MIB), st.integers(0, 40 * MIB))))
def test_every_pack_has_one_fate(figures: list[tuple[int, int]]) -> None:
    """No pack is forgotten or named twice; what stays is worn little enough; nothing needed is dropped."""
    uses = {str(n): PackUse(str(n), stored, min(live, stored)) for n, (stored, live) in enumerate(figures)}
    plan = plan_prune(uses.values())
    fates = (*plan.drop, *plan.repack, *plan.merge, *plan.keep)
    assert sorted(fates) == sorted(uses)
    assert all(uses[name].live_bytes == 0 for name in plan.drop)
    assert all(uses[name].dead_bytes <= DEAD_SHARE * uses[name].stored_bytes for name in plan.keep)
    assert plan.dead_bytes == sum(uses[name].dead_bytes for name in plan.drop + plan.rewritten)


def test_orphans() -> None:
    """What lies there unnamed and is not on its way out already."""
    assert orphaned(["a", "b", "c"], {"a"}, {"b"}) == ("c",)
