"""Keeps the key slots of a repository: which secrets open it, and how that changes without ever locking it.

All slots are one object, `keys/<generation>` (twice: see twofold), so that a change of several happens at once.
A change writes the next generation, reads it back, opens it with the secrets it is for, and only then deletes
the one before. The newest generation that is whole counts.

The object is JSON: {version, required_features, next_number, slots: {number: slot}}; a slot is {version, kind,
created_at, confirmed_at, salt, scrypt: {n, r, p} or null, commitment, wrapped}, bytes in base64. A passphrase (its
UTF-8, without a line end) is stretched by scrypt over the salt to 32 bytes; a key file is 32 bytes, or 64 hexadecimal
digits that stand for them, and taken as it is. HKDF-SHA256 of that, with the salt and the info "tuiback key slot " +
the repository id's 16 bytes, gives 32 bytes of key and the 32 bytes that stand as `commitment`. `wrapped` is
AES-256-GCM under that key, with twelve zero bytes as nonce and the repository id as associated data, of msgpack
{identity, epochs: {number: key}}.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tuiback.errors import Damage, EnvironmentFault, NoSuchThing, RepositoryMissing, TuibackError, UsageError, WrongKey
from tuiback.model import Clock
from tuiback.store import keys as key_slots
from tuiback.store import twofold
from tuiback.store.backend import AlreadyThere, Backend
from tuiback.store.envelope import KNOWN_FEATURES
from tuiback.store.keys import DEFAULT_SCRYPT_N, VERSION, KeySlot, RootKeys, Secret

PREFIX = "keys/"
# A NAS keeps folders of its own among our files.
_NAME = re.compile(r"keys/([0-9]+)(?:\.2)?")


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """All key slots by their numbers. `next_number` makes sure that a number never means two slots."""

    version: int = VERSION
    required_features: int = 0
    next_number: int
    slots: dict[int, KeySlot]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What a secret gave: the slot it opened and the keys in it."""

    number: int
    roots: RootKeys


def generations(backend: Backend) -> list[int]:
    """The generations of which at least one copy is there, newest first; more than one after an interruption."""
    found = (_NAME.fullmatch(name) for name in backend.list(PREFIX))
    return sorted({int(match[1]) for match in found if match}, reverse=True)


def set_name(generation: int) -> str:
    """The name of a generation's first copy."""
    return f"{PREFIX}{generation}"


@dataclass(frozen=True, slots=True)
class Standing:
    """The key slots that count, of which generation they are, and all that lie there, newest first."""

    key_set: KeySet
    generation: int
    generations: tuple[int, ...]


def read_standing(backend: Backend) -> Standing:
    """The key slots as they are now; no secret is needed.

    Raises Damage when no copy is whole, RepositoryMissing when there is none at all, FormatTooNew.
    """
    found = generations(backend)
    while True:
        standing = _find_standing(backend, found)
        if standing is not None:
            return standing
        before, found = found, generations(backend)
        # A change that went on meanwhile has taken away what was listed.
        if found == before:
            raise RepositoryMissing("it has no key slots", backend.url, "mount it, or copy keys/ back from a copy")


def _find_standing(backend: Backend, found: Sequence[int]) -> Standing | None:
    damage: Damage | None = None
    for generation in found:
        name = set_name(generation)
        try:
            key_set = twofold.find_either(backend, name, KeySet, version=VERSION, features=KNOWN_FEATURES)
        except Damage as error:
            damage = damage or error
            continue
        if key_set is not None:
            return Standing(key_set, generation, tuple(found))
    if damage is not None:
        raise damage
    return None


def settle(backend: Backend, standing: Standing) -> None:
    """Go on with a change that was interrupted: make its second copy, or where it is there, take away what was before.

    One of the two only: whoever makes the change in this moment may still take it back.
    """
    newest = set(twofold.copies(set_name(standing.generation)))
    there = {name for name in backend.list(PREFIX) if _NAME.fullmatch(name)}
    if there == newest or standing.generation != standing.generations[0]:
        return
    # Where one copy is damaged, what was before stays until somebody has looked.
    with contextlib.suppress(AlreadyThere):
        twofold.write_twice(backend, set_name(standing.generation), standing.key_set)
        if newest <= there:
            _delete_all(backend, there - newest)


def write_first(
    backend: Backend, roots: RootKeys, secrets: Sequence[Secret], *, slots: Sequence[KeySlot], repository: bytes
) -> None:
    """The key slots of a new repository, each proven to open. Raises AlreadyThere beside another creation."""
    first = KeySet(next_number=len(slots) + 1, slots=dict(enumerate(slots, start=1)))
    twofold.write_twice(backend, set_name(1), first)
    _prove(backend, 1, first, dict(enumerate(secrets, start=1)), repository, roots)


def unlock(key_set: KeySet, secret: Secret, *, repository: bytes, subject: str) -> Unlocked:
    """The keys that `secret` opens. Raises WrongKey when it opens no slot, Damage when its slot is broken."""
    damage: Damage | None = None
    for number, slot in key_set.slots.items():
        if slot.kind != secret.kind:
            continue
        try:
            return Unlocked(number, key_slots.unwrap(slot, secret, repository=repository, subject=f"slot {number}"))
        except WrongKey:
            continue
        except Damage as error:
            damage = error
    if damage is not None:
        raise damage
    raise WrongKey(f"this {secret.kind} does not open the repository", subject, "try another one")


class KeySlots:
    """Changes the key slots of one repository. Every change raises EnvironmentFault beside another one."""

    def __init__(self, backend: Backend, repository: bytes, clock: Clock, scrypt_n: int = DEFAULT_SCRYPT_N) -> None:
        self._backend = backend
        self._repository = repository
        self._clock = clock
        self._scrypt_n = scrypt_n

    def all(self) -> Mapping[int, KeySlot]:
        """Every slot by its number."""
        return read_standing(self._backend).key_set.slots

    def find(self, secret: Secret) -> int | None:
        """The number of the slot that the secret opens. Raises Damage."""
        return self._find(read_standing(self._backend).key_set, secret)

    def get(self, secret: Secret) -> int:
        """The number of the slot that the secret opens. Raises WrongKey, Damage."""
        return self._unlock(read_standing(self._backend).key_set, secret).number

    def add(self, secret: Secret, new: Secret) -> int:
        """A further slot, which `new` opens; its number.

        Raises WrongKey for `secret`, and UsageError when `new` is too short or opens a slot already.
        """
        before = read_standing(self._backend)
        opened = self._unlock(before.key_set, secret)
        self._refuse_known(before.key_set, new)
        number = before.key_set.next_number
        slots = {**before.key_set.slots, number: self._wrap(new, opened.roots)}
        self._replace(before, KeySet(next_number=number + 1, slots=slots), {number: new}, opened.roots)
        return number

    def remove(self, secret: Secret, number: int) -> KeySlot:
        """Take a slot away; what it was. Whoever opened it once may have kept the keys: they stay what they are.

        Raises WrongKey for `secret`, NoSuchThing, and UsageError for the last slot.
        """
        before = read_standing(self._backend)
        self._unlock(before.key_set, secret)
        slot = before.key_set.slots.get(number)
        if slot is None:
            raise NoSuchThing("there is no such key slot", str(number), "see 'tuiback key list'")
        if len(before.key_set.slots) == 1:
            remedy = "add another one first, or change it with 'tuiback key change'"
            raise UsageError("the last key slot can't be removed: nothing could be read any more", str(number), remedy)
        slots = {other: kept for other, kept in before.key_set.slots.items() if other != number}
        self._replace(before, msgspec.structs.replace(before.key_set, slots=slots), {}, None)
        return slot

    def change(self, secret: Secret, new: Secret) -> int:
        """Let `new` open the slot that `secret` opens, in its place; the number. Raises WrongKey, UsageError."""
        before = read_standing(self._backend)
        opened = self._unlock(before.key_set, secret)
        self._refuse_known(before.key_set, new)
        slots = {**before.key_set.slots, opened.number: self._wrap(new, opened.roots)}
        after = msgspec.structs.replace(before.key_set, slots=slots)
        self._replace(before, after, {opened.number: new}, opened.roots)
        return opened.number

    def rotate(self, secrets: Sequence[Secret]) -> int:
        """Open a new key epoch for every slot; its number. `secrets` must open them all.

        The new epoch's key is wrapped under the secrets alone, so that a secret that was removed before never
        opens it, whatever copy of the slots its holder kept. Raises UsageError naming a slot that none opens.
        """
        before = read_standing(self._backend)
        slots = before.key_set.slots
        holders = {number: self._holder(number, slot, secrets) for number, slot in slots.items()}
        roots = key_slots.with_next_epoch(self._unlock(before.key_set, next(iter(holders.values()))).roots)
        rotated = {number: self._wrap(secret, roots, slots[number]) for number, secret in holders.items()}
        self._replace(before, msgspec.structs.replace(before.key_set, slots=rotated), holders, roots)
        return max(roots.epochs)

    def confirm(self, secrets: Sequence[Secret]) -> list[int]:
        """Note for the slots that the secrets open that their owner has them; their numbers.

        Raises WrongKey when one of them opens none; then nothing is noted.
        """
        before = read_standing(self._backend)
        found = {self._unlock(before.key_set, secret).number for secret in secrets}
        now = self._clock.now()
        slots = {
            number: msgspec.structs.replace(slot, confirmed_at=now) if number in found else slot
            for number, slot in before.key_set.slots.items()
        }
        self._replace(before, msgspec.structs.replace(before.key_set, slots=slots), {}, None)
        return sorted(found)

    def _unlock(self, key_set: KeySet, secret: Secret) -> Unlocked:
        return unlock(key_set, secret, repository=self._repository, subject=self._backend.url)

    def _find(self, key_set: KeySet, secret: Secret) -> int | None:
        try:
            return self._unlock(key_set, secret).number
        except WrongKey:
            return None

    def _wrap(self, secret: Secret, roots: RootKeys, before: KeySlot | None = None) -> KeySlot:
        now = self._clock.now()
        slot = key_slots.wrap(roots, secret, repository=self._repository, scrypt_n=self._scrypt_n, created_at=now)
        if before is None:
            return slot
        return msgspec.structs.replace(slot, created_at=before.created_at, confirmed_at=before.confirmed_at)

    def _refuse_known(self, key_set: KeySet, secret: Secret) -> None:
        number = self._find(key_set, secret)
        if number is not None:
            raise UsageError(f"this {secret.kind} opens slot {number} already", self._backend.url, "choose another one")

    def _holder(self, number: int, slot: KeySlot, secrets: Sequence[Secret]) -> Secret:
        alone = KeySet(next_number=0, slots={number: slot})
        for secret in secrets:
            if self._find(alone, secret) is not None:
                return secret
        raise UsageError(
            f"slot {number} ({slot.kind}) can't be taken into a new epoch without its secret",
            self._backend.url,
            "give it with --passphrase-file or --key-file, or remove the slot first",
        )

    def _replace(
        self, before: Standing, after: KeySet, holders: Mapping[int, Secret], roots: RootKeys | None
    ) -> None:
        generation = before.generations[0] + 1
        try:
            twofold.write_twice(self._backend, set_name(generation), after)
            _prove(self._backend, generation, after, holders, self._repository, roots)
        except AlreadyThere:
            raise self._beside_another() from None
        except TuibackError:
            self._take_back(generation, before)
            raise
        if generations(self._backend)[0] != generation:
            # A change that was begun later has ended before this one, without knowing of it.
            raise self._beside_another()
        _delete_all(self._backend, _copies_of(before.generations))

    def _take_back(self, generation: int, before: Standing) -> None:
        """After a failure: what was said to have failed must not be in force."""
        if _find_standing(self._backend, [before.generation]) is not None:
            _delete_all(self._backend, twofold.copies(set_name(generation)))

    def _beside_another(self) -> EnvironmentFault:
        remedy = "look at 'tuiback key list', then try again"
        return EnvironmentFault("somebody else changes its keys in this moment", self._backend.url, remedy)


def _prove(
    backend: Backend,
    generation: int,
    key_set: KeySet,
    holders: Mapping[int, Secret],
    repository: bytes,
    roots: RootKeys | None,
) -> None:
    """Read both copies back and open what `holders` must open. The generation before is still there if it fails."""
    for copy in twofold.copies(set_name(generation)):
        written = twofold.read_copy(backend, copy, KeySet, version=VERSION, features=KNOWN_FEATURES)
        if written != key_set:
            raise Damage("it is not what was written", copy, "check the disk; the keys before are still there")
    for number, secret in holders.items():
        opened = key_slots.unwrap(written.slots[number], secret, repository=repository, subject=f"slot {number}")
        if roots is not None and opened != roots:
            raise Damage("the slot does not hold the keys", f"slot {number}", "check the machine's memory")


def _copies_of(numbers: Sequence[int]) -> Iterator[str]:
    return (copy for generation in numbers for copy in twofold.copies(set_name(generation)))


def _delete_all(backend: Backend, names: Iterable[str]) -> None:
    for name in names:
        # An interrupted change left only one copy, or another process was quicker.
        with contextlib.suppress(NoSuchThing):
            backend.delete(name)
