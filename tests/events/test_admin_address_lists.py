"""Addresses out of what people paste and out of their files."""

import pytest
from django.core.exceptions import ValidationError

from events.admin import address_lists

NO_AT = "The email address has no @ sign. It should look like name@example.org"


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("anna@example.org\nbob@example.org", ["anna@example.org", "bob@example.org"]),
        ("anna@example.org\r\n\r\nbob@example.org\r\n", ["anna@example.org", "bob@example.org"]),
        (
            "anna@example.org, bob@example.org;carl@example.org",
            ["anna@example.org", "bob@example.org", "carl@example.org"],
        ),
        ("anna@example.org,;, \n", ["anna@example.org"]),
        ("Anna Karimova <anna@example.org>", ["anna@example.org"]),
        ('"Karimova, Anna" <anna@example.org>, bob@example.org', ["anna@example.org", "bob@example.org"]),
        ("Karimova, Anna <anna@example.org>; bob@example.org", ["anna@example.org", "bob@example.org"]),
        ("mailto:anna@example.org", ["anna@example.org"]),
        ("'anna@example.org'", ["anna@example.org"]),
        ("Anna\tanna@example.org\tTashkent", ["anna@example.org"]),
        ("анна@example.org", []),
        ("anna+list@bücher.example", ["anna+list@bücher.example"]),
        ("", []),
    ],
)
def test_addresses_are_found_however_they_are_separated(text, addresses):
    assert address_lists.read(text).addresses == addresses


def test_each_mistake_is_told_with_its_line():
    found = address_lists.read("anna@example.org\nbob.example.org, carl@example.org\n\nDora <dora@example>")

    assert found.addresses == ["anna@example.org", "carl@example.org"]
    assert [(one.line, one.text) for one in found.mistakes] == [(2, "bob.example.org"), (4, "Dora <dora@example>")]
    assert found.mistakes[0].fault == NO_AT


def test_what_stands_there_twice_counts_once_in_any_letter_case():
    found = address_lists.read("Anna@example.org\nanna@EXAMPLE.org\nbob@example.org\nAnna@example.org")

    assert (found.addresses, found.repeated) == (["Anna@example.org", "bob@example.org"], 2)


def test_without_mistakes_the_same_addresses_are_left():
    text = "Karimova, Anna <anna@example.org>; nobody\nbob.example.org\nbob@example.org, carl@example.org"

    mended = address_lists.without_mistakes(text)

    assert mended == "anna@example.org\nbob@example.org, carl@example.org"
    assert address_lists.read(mended).addresses == address_lists.read(text).addresses


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("anna@example.org\nbob@example.org\n", "anna@example.org\nbob@example.org"),
        ("\ufeffName;Email;City\nAnna;anna@example.org;Tashkent\n", "anna@example.org"),
        ('Email,Name\nanna@example.org,"Karimova, Anna"\n', "anna@example.org"),
        ("Anna,anna@example.org\n,\nBob,bob@example.org\n", "anna@example.org\nbob@example.org"),
        ("Name\tE-Mail-Adresse\nAnna\tanna@example.org\n", "anna@example.org"),
        ("anna@example.org,bob@example.org\ncarl@example.org\n", "anna@example.org, bob@example.org\ncarl@example.org"),
        ("", ""),
    ],
)
def test_of_a_table_the_column_of_addresses_is_taken(content, text):
    assert address_lists.as_text(content.encode()) == text


@pytest.mark.parametrize(
    "content",
    [
        "Email;Name\nannaexample.org;Anna\nbob@example.org;Bob\n",
        "annaexample.org;Anna\nbob@example.org;Bob\n",
        "annaexample;Anna\nbob@example.org;Bob\n",
        "Email;Name\n;Anna without one\nbob@example.org;Bob\n",
    ],
)
def test_no_row_of_a_table_gets_lost_unseen(content):
    found = address_lists.read(address_lists.as_text(content.encode()))

    assert (found.addresses, len(found.mistakes)) == (["bob@example.org"], 1)
    assert "nna" in found.mistakes[0].text


@pytest.mark.parametrize(
    "content", ["é@example.org".encode("latin-1"), b"PK\x03\x04\xff\xfe", "a@b.example".encode("utf-16")]
)
def test_what_is_no_text_in_utf_8_is_refused_with_what_to_do(content):
    with pytest.raises(ValidationError, match="save it as “CSV UTF-8”"):
        address_lists.as_text(content)
