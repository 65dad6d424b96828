"""Decides which request a named trouble strikes: those ordered by a tester, and those that chance picks."""

import json
import random
from collections import Counter
from collections.abc import Collection, Mapping

import msgspec

from tuiback.simtenant.api.call import Fault, Reply
from tuiback.simtenant.faulting.catalogue import POISON, TOKEN_EXPIRED, TROUBLES
from tuiback.simtenant.faulting.scene import Scene, Trouble

# Chance does not take a token away before it has served so often: a new one is good at least for a while.
_TOKEN_USES = 50


class Strikes:
    """The troubles in force, and how often each has struck."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Nothing goes wrong any more; what was counted stays."""
        self._ordered: dict[str, int] = {}
        self._chance: list[Trouble] = []
        self._rate = 0.0
        self.luck = random.Random(0)
        self._token_uses: Counter[str] = Counter()
        self._poisoned: set[bytes] = set()

    @property
    def is_idle(self) -> bool:
        """Whether no request need be looked at."""
        return not (self._ordered or self._chance or self._poisoned)

    def order(self, trouble_id: str, times: int) -> None:
        """Let the next requests that fit be struck, `times` of them (-1: all). Raises KeyError for unknown ids."""
        if TROUBLES[trouble_id].always:
            raise KeyError(trouble_id)
        self._ordered[trouble_id] = times

    def let_chance(self, rate: float, seed: int, trouble_ids: Collection[str] | None) -> list[str]:
        """Let each trouble strike the requests that fit it at that rate; None stands for all that can be got round.

        The same seed and the same sequence of requests give the same strikes. Gives the ids. Raises KeyError.
        """
        if trouble_ids is None:
            chosen = [each for each in TROUBLES.values() if not each.lasting and not each.always]
        else:
            chosen = [TROUBLES[each] for each in trouble_ids]
        self._chance = [each for each in chosen if not each.always] if rate > 0 else []
        self._rate = rate
        self.luck = random.Random(seed)
        return [each.trouble_id for each in self._chance]

    def described(self) -> list[Mapping[str, object]]:
        """All troubles, what each does and whether it is in force."""
        by_chance = {each.trouble_id for each in self._chance}
        return [
            {
                "id": each.trouble_id, "text": each.text, "lasting": each.lasting, "always": each.always,
                "times": self._ordered.get(each.trouble_id, 0),
                "rate": self._rate if each.trouble_id in by_chance else 0, "struck": self.counts[each.trouble_id],
            }
            for each in TROUBLES.values()
        ]  # fmt: skip

    def answer(self, scene: Scene) -> Reply:
        """The answer to a request, after whatever strikes it. Raises Fault."""
        trouble = self._ordered_for(scene) or self._chance_for(scene)
        if trouble is None:
            reply = scene.answer()
        else:
            self.counts[trouble.trouble_id] += 1
            reply = self._poison(scene) if trouble.trouble_id == POISON else trouble.strike(scene)
        if self._poisoned and TROUBLES[POISON].fits(scene.call, scene.template):
            self._check_poison(reply)
        return reply

    def _ordered_for(self, scene: Scene) -> Trouble | None:
        for trouble_id, times in self._ordered.items():
            if TROUBLES[trouble_id].fits(scene.call, scene.template):
                if times == 1:
                    del self._ordered[trouble_id]
                elif times > 0:
                    self._ordered[trouble_id] = times - 1
                return TROUBLES[trouble_id]
        return None

    def _chance_for(self, scene: Scene) -> Trouble | None:
        if not self._chance:
            return None
        token = scene.call.headers.get("authorization", "")
        self._token_uses[token] += 1
        struck = [
            each for each in self._chance if each.fits(scene.call, scene.template) and self.luck.random() < self._rate
        ]
        if self._token_uses[token] < _TOKEN_USES:
            struck = [each for each in struck if each.trouble_id != TOKEN_EXPIRED]
        return self.luck.choice(struck) if struck else None

    def _poison(self, scene: Scene) -> Reply:
        """Choose a message of this page."""
        reply = scene.answer()
        value = msgspec.json.decode(reply.body).get("value", []) if reply.status < 300 else []
        ids = [each["id"] for each in value if "@removed" not in each]
        if ids:
            self._poisoned.add(f'"id":"{self.luck.choice(ids)}"'.encode())
        return reply

    def _check_poison(self, reply: Reply) -> None:
        is_hit = reply.status < 300 and any(mark in reply.body for mark in self._poisoned)
        if is_hit and len(json.loads(reply.body, strict=False)["value"]) > 1:
            raise Fault(500, "InternalServerError", "Error while processing response.")
