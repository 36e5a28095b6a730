"""The gallery has every page, and each is what it is said to be."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.gallery import ENTRIES, LANGUAGES, Entry, Shown

Gallery = dict[tuple[str, str], Shown]

# What an address is for is decided elsewhere: Django's and Unfold's own pages, and those that production does not have.
OTHERS = {"admin", "mailbox", "media"}
# Answers that a second factor's owner alone gets, in the dress of the pages above.
OF_A_SECOND_FACTOR = {
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
    "mfa_view_recovery_codes",
}


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

    without = named - entered - OF_A_SECOND_FACTOR - {"healthz", "readyz"}

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
