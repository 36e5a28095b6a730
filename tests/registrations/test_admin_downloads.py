"""Who registered, as a table to take away."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Membership
from registrations import erasure, signup
from registrations.models import Registration
from tests.builders import (
    NOW,
    make_host,
    make_organizer,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def host():
    return make_host(time_zone="Asia/Tashkent")


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


def address(thing):
    return reverse(f"admin:events_{thing._meta.model_name}_download", args=[thing.pk])


def table(response):
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline="")))


def test_the_table_has_who_registered_when_for_what_and_the_answers(client, editor, host):
    webinar = make_webinar(host=host, slug="roads")
    kind = make_question(webinar, wording="Which?", kind="some", options="Roads\nRivers", order=1)
    country = make_question(webinar, wording="Country", kind="country", order=2)
    session = make_session(webinar, **COMING)
    make_registration(
        session,
        name="Анна, Каримова",
        email="anna@example.org",
        wants_news=True,
        answers={kind: "Roads\nRivers", country: "UZ"},
    )
    later = make_registration(session, name="Bob", email="bob@example.org", now=NOW + timedelta(minutes=1))
    signup.answer(
        webinar.registrations.get(email="anna@example.org"),
        partstat=Registration.Partstat.TENTATIVE,
        sequence=0,
        dtstamp=NOW,
        now=NOW,
    )
    signup.cancel(later, now=NOW)
    webinar.registrations.filter(name="Анна, Каримова").update(joined_at=datetime(2031, 5, 14, 12, 31, tzinfo=UTC))

    response = client.get(address(webinar))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="registrations-roads.csv"'
    assert "no-store" in response["Cache-Control"]
    when = "Wed, 14 May 2031, 13:30 London, UTC+1"
    assert table(response) == [
        [
            "Name",
            "Email",
            "Session",
            "Status",
            "Why it was cancelled",
            "Answer in the calendar",
            "Answered (UTC)",
            "Registered (UTC)",
            "Registered (Tashkent)",
            "Accepted (UTC)",
            "Paid (UTC)",
            "Came (UTC)",
            "Agreed to later mails",
            "Which?",
            "Country",
        ],
        [
            "Анна, Каримова",
            "anna@example.org",
            when,
            "Confirmed",
            "",
            "Perhaps",
            "2026-09-16 09:00",
            "2026-09-16 09:00",
            "Wed, 16 Sept 2026, 14:00 Tashkent, UTC+5",
            "",
            "",
            "2031-05-14 12:31",
            "yes",
            "Roads; Rivers",
            "Uzbekistan",
        ],
        [
            "Bob",
            "bob@example.org",
            when,
            "Cancelled",
            "Its owner cancelled it",
            "",
            "",
            "2026-09-16 09:01",
            "Wed, 16 Sept 2026, 14:01 Tashkent, UTC+5",
            "",
            "",
            "",
            "no",
            "",
            "",
        ],
    ]


def test_the_table_says_who_was_accepted_who_paid_and_who_would_come_to_any_session(client, editor, host):
    webinar = make_webinar(host=host, needs_approval=True, price_amount=40, price_currency="EUR")
    session = make_session(webinar, capacity=1, **COMING)
    paid, waiting = make_registration(session), make_registration(session, any_session=True)
    for minutes, person in ((1, paid), (2, waiting)):
        signup.approve(person, by=None, now=NOW + timedelta(minutes=minutes))
    signup.mark_paid(paid, by=None, now=NOW + timedelta(minutes=3))

    headings, *rows = table(client.get(address(webinar)))

    columns = [headings.index(name) for name in ("Session", "Accepted (UTC)", "Paid (UTC)")]
    assert [[row[column] for column in columns] for row in rows] == [
        ["Wed, 14 May 2031, 13:30 London, UTC+1", "2026-09-16 09:01", "2026-09-16 09:03"],
        ["Any session", "2026-09-16 09:02", ""],
    ]


def test_spreadsheets_read_it_as_utf_8(client, editor, host):
    webinar = make_webinar(host=host)
    make_registration(make_session(webinar, **COMING))

    content = b"".join(client.get(address(webinar)).streaming_content)

    assert content.startswith(b"\xef\xbb\xbfName,")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_nothing_that_anybody_typed_is_a_formula(client, editor, host, sign):
    webinar = make_webinar(host=host)
    question = make_question(webinar, wording=f"{sign}A1")
    typed = f"{sign}cmd|' /C calc'!A0"
    person = make_registration(make_session(webinar, **COMING), name=typed, answers={question: typed})
    person.answers.update(value=typed)  # also what forms would clean away

    rows = table(client.get(address(webinar)))

    cells = [cell for row in rows for cell in row]
    assert rows[1][-1] == f"'{typed}"
    assert rows[1][0] == (f"'{typed}" if typed == typed.strip() else typed.strip())
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_whoever_erased_theirs_is_in_no_table(client, editor, host):
    webinar = make_webinar(host=host)
    session = make_session(webinar, **COMING)
    gone, stays = make_registration(session), make_registration(session, email="anna@example.org")
    erasure.erase(gone, now=NOW)

    rows = table(client.get(address(webinar)))

    assert [row[1] for row in rows[1:]] == [stays.email]


def test_the_table_of_a_session_has_its_people_alone(client, editor, host):
    webinar = make_webinar(host=host, slug="roads")
    session, other = make_session(webinar, **COMING), make_session(webinar, **COMING)
    mine = make_registration(session)
    make_registration(other)

    response = client.get(address(session))

    assert response["Content-Disposition"] == 'attachment; filename="registrations-roads-2031-05-14.csv"'
    assert [row[1] for row in table(response)[1:]] == [mine.email]


def test_viewers_take_it_away_and_the_history_tells(client, host):
    viewer = make_organizer(host, role=Membership.Role.VIEWER)
    client.force_login(viewer)
    session = make_session(make_webinar(host=host), **COMING)
    make_registration(session)

    shown = client.get(reverse("admin:events_session_change", args=[session.pk])).content.decode()
    response = client.get(address(session))

    assert f'href="{address(session)}"' in shown
    assert len(table(response)) == 2
    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.get_change_message()) == (viewer, "Downloaded who registered.")


def test_other_hosts_people_are_in_nobodys_table(client, editor):
    session = make_session(make_webinar(), **COMING)
    make_registration(session)

    for thing in (session, session.webinar):
        assert client.get(address(thing)).status_code == 403


def test_where_nobody_registered_there_is_nothing_to_take(client, editor, host):
    webinar = make_webinar(host=host)

    shown = client.get(reverse("admin:events_webinar_change", args=[webinar.pk])).content.decode()

    assert "Download as CSV" not in shown
    assert client.get(address(webinar)).status_code == 403


def test_a_long_table_takes_as_many_queries_as_a_short_one(client, editor, host):
    counts = []
    for people in (1, 4):
        webinar = make_webinar(host=host)
        question = make_question(webinar)
        session = make_session(webinar, **COMING)
        for _ in range(people):
            make_registration(session, answers={question: "At the border"})
        with CaptureQueriesContext(connection) as captured:
            rows = table(client.get(address(webinar)))
        counts.append(len(captured))
        assert len(rows) == people + 1

    assert counts[0] == counts[1]
