"""The addresses that calendars answer to."""

import pytest

from registrations import reply_addresses

REFERENCE = "ABCDEFGH2345"


@pytest.fixture
def address(settings):
    settings.SUBADDRESS_DOMAINS = ["example.org"]
    return reply_addresses.personal("rsvp@example.org", REFERENCE)


def test_a_personal_address_names_its_registration_in_any_letter_case(address):
    assert address.startswith("rsvp+abcdefgh2345-")
    assert reply_addresses.read_reference(address.upper()) == REFERENCE
    assert reply_addresses.read_reference(f" {address} ") == REFERENCE


def test_an_address_that_an_earlier_key_signed_is_still_ours(settings, address):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = (
        [settings.SECRET_KEY],
        "another key, fifty characters long or so",
    )

    assert reply_addresses.read_reference(address) == REFERENCE


@pytest.mark.parametrize(
    ("forged", "looks_personal"),
    [
        ("rsvp+abcdefgh2345-00000000000000000000@example.org", True),
        ("rsvp+abcdefgh2345@example.org", False),
        ("rsvp+news@example.org", False),
        ("rsvp+\ud800-0123456789abcdef0123@example.org", False),
        ("rsvp@example.org", False),
        ("", False),
    ],
)
def test_any_other_address_is_nobodys(settings, forged, looks_personal):
    settings.SUBADDRESS_DOMAINS = ["example.org"]

    assert reply_addresses.read_reference(forged) is None
    assert reply_addresses.looks_personal(forged) is looks_personal


def test_a_domain_without_tags_has_one_address_for_all():
    assert reply_addresses.personal("rsvp@elsewhere.example", REFERENCE) == "rsvp@elsewhere.example"
