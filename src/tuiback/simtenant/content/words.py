"""Loads the vocabulary of the generated company: names, departments, and what people write about."""

import tomllib
from importlib.resources import files

import msgspec


class Language(msgspec.Struct, frozen=True):
    """One language of the company: people's names with their ASCII form, mail folder names, and phrases."""

    code: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    reply: str
    projects: str
    greeting: str
    closing: str
    subjects: tuple[str, ...]
    sentences: tuple[str, ...]
    files: tuple[str, ...]


class _Vocabulary(msgspec.Struct, frozen=True):
    departments: tuple[str, ...]
    titles: tuple[str, ...]
    projects: tuple[str, ...]
    phases: tuple[str, ...]
    outside: tuple[tuple[str, str], ...]
    spoken: tuple[str, ...]
    languages: tuple[Language, ...]


_WORDS = msgspec.convert(tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8")), _Vocabulary)
_BY_CODE = {language.code: language for language in _WORDS.languages}

DEPARTMENTS = _WORDS.departments
TITLES = _WORDS.titles
PROJECTS = _WORDS.projects
PHASES = _WORDS.phases
OUTSIDE = _WORDS.outside
LANGUAGES = _WORDS.languages
SPOKEN = tuple(_BY_CODE[code] for code in _WORDS.spoken)
ENGLISH = _BY_CODE["en"]
