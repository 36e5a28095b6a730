"""The gallery has every page, and each is what it is said to be."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.gallery import ENTRIES, LANGUAGES, Entry, Shown, show

Gallery = dict[tuple[str, str], Shown]

# What an address is for is decided elsewhere: Django's and Unfold's own pages, and those that production does not have.
OTHERS = {"admin", "mailbox", "media"}


def names_of_addresses(patterns: list[URLPattern | URLResolver], start: str = "") -> Iterator[str]:
    for pattern in patterns:
        path = start + str(pattern.pattern)
        if path.split("/")[0] in OTHERS:
            continue
        if isinstance(pattern, URLResolver):
            yield from names_of_addresses(pattern.url_patterns, path)
        elif pattern.name:
            yield pattern.name


def test_every_address_of_the_site_has_an_entry() -> None:
    named = set(names_of_addresses(get_resolver("webinar_site.urls").url_patterns))
    entered = {entry.url_name for entry in ENTRIES if entry.url_name}

    without = named - entered - {"healthz", "readyz"}

    assert without == set(), f"tests/gallery.py has no entry for {', '.join(sorted(without))}"


def test_entries_have_names_of_their_own() -> None:
    names = [entry.name for entry in ENTRIES]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_entry_is_answered_as_it_says(shown: Gallery, entry: Entry, language: str) -> None:
    page = shown[entry.name, language]

    assert page.status == entry.status, page.headers.get("Location", page.content[-2000:].decode())
    is_html = page.headers.get("Content-Type", "").startswith("text/html")
    assert is_html or not entry.is_page


# Pages that list whatever there is, and such whose reading writes.
ALONE = ("home-filtered", "home-of-a-day", "my-webinars", "register-taken", "register-refused", "sign-in-code-sent")


@pytest.mark.parametrize("name", ALONE)
def test_entry_shows_alone_what_it_shows_among_the_others(
    shown: Gallery, gallery_settings: dict[str, Any], name: str
) -> None:
    entry = next(entry for entry in ENTRIES if entry.name == name)
    before = rows()

    with override_settings(**gallery_settings):
        alone = show(entry, ["ar", "en"])

    assert rows() == before, "What an entry writes is not taken back."
    assert [words(page) for page in alone] == [words(shown[name, "ar"]), words(shown[name, "en"])]


@pytest.mark.parametrize("name", ["home-filtered", "home-of-a-day"])
def test_lists_of_the_gallery_have_something_in_them(shown: Gallery, name: str) -> None:
    assert re.search(r'href="/webinars/[\w-]+/"', shown[name, "en"].html)


def rows() -> dict[type[models.Model], int]:
    return {model: model._default_manager.count() for model in apps.get_models()}


def words(page: Shown) -> str:
    """What stands on the page, without the numbers: those of its rows, and the minutes that have passed."""
    text = re.sub(r"<[^>]*>", " ", page.html)
    return " ".join(word for word in text.split() if not re.search(r"\d", word))
