"""The list of a webinar for invited people."""

import pytest

from events import guest_lists
from tests.builders import make_webinar

pytestmark = pytest.mark.django_db


def on_the_list(webinar):
    return list(webinar.invitees.values_list("email", "email_key"))


def test_addresses_are_put_on_the_list_as_they_were_written():
    webinar = make_webinar()

    added = guest_lists.invite(webinar, [" Anna@Example.org ", "bob@example.org"])

    assert added == 2
    assert on_the_list(webinar) == [("Anna@Example.org", "anna@example.org"), ("bob@example.org", "bob@example.org")]


def test_whoever_is_on_the_list_stays_there_once():
    webinar, other = make_webinar(), make_webinar()
    guest_lists.invite(webinar, ["Anna@example.org"])
    guest_lists.invite(other, ["carl@example.org"])

    added = guest_lists.invite(webinar, ["anna@EXAMPLE.org", "carl@example.org"])

    assert added == 1
    assert [email for email, _key in on_the_list(webinar)] == ["Anna@example.org", "carl@example.org"]


def test_known_among_counts_those_of_this_webinar():
    webinar, other = make_webinar(), make_webinar()
    guest_lists.invite(webinar, ["anna@example.org"])
    guest_lists.invite(other, ["bob@example.org"])

    known = guest_lists.known_among(webinar, ["ANNA@example.org", "bob@example.org"])

    assert known == 1


def test_one_or_all_are_taken_off_this_list_alone():
    webinar, other = make_webinar(), make_webinar()
    for each in (webinar, other):
        guest_lists.invite(each, ["anna@example.org", "bob@example.org", "carl@example.org"])

    guest_lists.take_off(webinar.invitees.get(email="bob@example.org"))
    left = webinar.invitees.count()
    gone = guest_lists.empty(webinar)

    assert (left, gone, webinar.invitees.count(), other.invitees.count()) == (2, 2, 0, 3)


def test_a_long_list_is_written_in_few_statements(django_assert_max_num_queries):
    webinar = make_webinar()

    with django_assert_max_num_queries(25):
        added = guest_lists.invite(webinar, [f"person{number}@example.org" for number in range(5_000)])

    assert added == 5_000
