"""Names: whose are taken as they are, and what would be a link in a mail."""

import pytest
from django.core.exceptions import ValidationError

from registrations.names import check_name

SPACE = "In a mail, “%s” becomes a link. Write it with a space after the full stop, or without one."


def fault_of(name: str) -> str:
    """What is said of it; empty where it is taken."""
    try:
        check_name(name)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


@pytest.mark.parametrize(
    "name",
    [
        "X",
        "李",
        "محمد بن سلمان",
        "ليلى",
        "Анна Каримова",
        "א",
        "O'Brien-Smith, Jr.",
        "Dr. Wwan Li",
        "Anna (Border Office): chair",
        "Anna / Olga",
        "J.R.R. Tolkien",
        "J.R.R.Tolkien",
        "Dr.Smith",
        "Dr.Ma",
        "Prof.Dr.Li",
        "St.John",
        "A.de Vries",
        "Y.Li",
        "Anna Smith Ph.D.",
        "Ravi Kumar B.Com",
        "Ravi Kumar M.Sc.",
        "А.С.Пушкин",
        "Anna Karimova, Border Office.",
        "=1+1",
        "=1+1 Karimova",
        "+Anna",
        "3M",
        "a" * 200,
    ],
)
def test_a_name_is_a_name(name):
    assert fault_of(name) == ""


@pytest.mark.parametrize("name", ["", "…—!", "\u0301"])
def test_a_name_has_a_letter(name):
    assert fault_of(name) == "Enter your full name"


@pytest.mark.parametrize(
    "name", ["Win: https://example.org/prize", "WWW.example.org", "x@example.org", "x＠example.org"]
)
def test_links_and_addresses_are_no_names(name):
    assert fault_of(name) == "Enter a name without links or addresses."


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("evil.org", "evil.org"),
        ("Go to Evil.ORG now", "Evil.ORG"),
        ("Anna (evil.com)!", "(evil.com)!"),
        ("bit.ly", "bit.ly"),
        ("evil.co.uk", "evil.co.uk"),
        ("cheap-pills.xyz", "cheap-pills.xyz"),
        ("t.me/pills", "t.me/pills"),
        ("evil。org", "evil.org"),
        ("ｅｖｉｌ．ｏｒｇ", "evil.org"),
        ("login.example.shop.", "login.example.shop."),
        ("Anna.Li", "Anna.Li"),
    ],
)
def test_a_host_without_anything_before_it_is_said_to_become_a_link(name, part):
    assert fault_of(name) == SPACE % part


def test_whoever_is_called_like_a_host_gets_by_with_a_space():
    assert fault_of("Anna. Li") == ""
    assert fault_of("Anna Li") == ""


def test_a_name_is_at_most_two_hundred_characters():
    assert fault_of("a" * 201) == "This has 201 characters; at most 200 are taken"
