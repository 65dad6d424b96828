"""Writes subjects and paragraphs in the words of one language."""

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.words import PROJECTS, Language


def subject(chance: Chance, language: Language, *key: Key) -> str:
    """One subject line."""
    return _filled(chance.pick(language.subjects, "subject", *key), chance, language, key)


def paragraph(chance: Chance, language: Language, size_bytes: int, *key: Key) -> str:
    """Sentences of at least `size_bytes` in UTF-8, a line break after every few."""
    source = chance.source("prose", *key)
    sentences = [_filled(each, chance, language, (*key, place)) for place, each in enumerate(language.sentences)]
    weights = [len(each.encode()) + 1 for each in sentences]
    written: list[str] = []
    length = 0
    while length < size_bytes:
        place = int(source.random() * len(sentences))
        number = int(source.random() * 90000)
        written.append(f"{sentences[place]} [{number}]" if number % 5 == 0 else sentences[place])
        length += weights[place]
    return "\r\n".join(" ".join(written[start : start + 4]) for start in range(0, len(written), 4))


def _filled(phrase: str, chance: Chance, language: Language, key: tuple[Key, ...]) -> str:
    number = chance.number("filled", *key)
    return phrase.format(
        project=PROJECTS[number % len(PROJECTS)],
        name=language.given[number // 16 % len(language.given)][0],
        number=10000 + number // 256 % 89999,
        day=f"{1 + number // 7 % 28:02}.{1 + number // 11 % 12:02}.2026",
    )
