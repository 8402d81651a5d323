"""The sentences people see: what is the matter, why it matters, what to do.

One file a language. `[errors]` has a sentence per leaf of `domain.errors`, `[findings]` one per readiness finding,
`[words]` what single values are called. A test holds them complete and their blanks equal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("nl", "fr", "en")


def language_of(wanted: str) -> str:
    """The language we have that suits best: of a code, or of a browser's list of preferences.

    >>> language_of("fr-BE,fr;q=0.9,en;q=0.8"), language_of("nl_BE"), language_of("de")
    ('fr', 'nl', 'en')
    """
    for preference in wanted.lower().split(","):
        if preference.strip()[:2] in LANGUAGES:
            return preference.strip()[:2]
    return "en"


def sentence(cause: str, facts: Mapping[str, Any], language: str, **more: Any) -> str:
    """What a person reads about an error. `more` fills {document} and {package}; never raises."""
    return _render("errors", cause, {**more, **facts}, language)


def finding(code: str, facts: Mapping[str, Any], language: str) -> str:
    """What a person reads about a finding of the readiness check; never raises."""
    return _render("findings", code, facts, language)


def word(value: str, language: str) -> str:
    """What people call a value of ours ("exact" is "Exact Online"); the value itself where there is no other word."""
    return _texts(language)["words"].get(value, value)


def _render(table: str, code: str, facts: Mapping[str, Any], language: str) -> str:
    texts = _texts(language)
    blanks = _Blanks(texts["words"], {name: _plain(name, value, language) for name, value in facts.items()})
    # A cause an older or newer version stored is shown as it stands: a page must not fail for want of words.
    return texts[table].get(code, code.replace("{", "(").replace("}", ")")).format_map(blanks)


class _Blanks(dict[str, str]):
    """Facts as text; one that is not known gets a word that keeps the sentence readable."""

    def __init__(self, words: Mapping[str, str], facts: Mapping[str, str]) -> None:
        super().__init__(facts)
        self.words = words

    def __missing__(self, name: str) -> str:
        return self.words["some_package" if name == "package" else "unknown"]


# Facts that hold a value of ours; the others are people's own words (a customer may be called "Name").
_OURS = {"vendor", "package", "reason", "feature", "field"}


def _plain(name: str, value: Any, language: str) -> str:
    if value is None or value == "":
        return word("empty", language)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(name, one, language) for one in value)
    return word(str(value), language) if name in _OURS else str(value)


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    name = language if language in LANGUAGES else "en"
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
