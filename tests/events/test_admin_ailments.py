"""What organizers hear, when publishing, of what the doctor found."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from events.admin import ailments
from events.models import Finding, Webinar
from tests.builders import NOW, make_host, make_organizer, make_webinar
from tests.events.test_admin import form_data

pytestmark = pytest.mark.django_db

TELL = "Tell whoever runs the site, who finds more on the page “Doctor”."


def find(topic: str, light: str = "red", *, age: timedelta = timedelta(seconds=20), now=NOW) -> Finding:
    return Finding.objects.create(topic=topic, light=light, what="535 refused", to_do="EMAIL_URL", looked_at=now - age)


def test_nothing_is_said_while_nothing_is_red(django_assert_num_queries):
    find("broker", "green")
    find("dkim", "amber")

    with django_assert_num_queries(1):
        assert ailments.warnings(now=NOW) == []


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("mail-server", "Mail is not going out at present"),
        ("workers", "Mail is not going out at present"),
        ("spf", "end among spam"),
        ("mx", "answer in their calendars may not arrive"),
        ("probe", "answer in their calendars may not arrive"),
        ("clocks", "times may be told wrong"),
        ("media", "Pictures cannot be stored"),
        ("database", "Parts of the site do not work"),
    ],
)
def test_what_is_red_is_told_by_what_it_means_for_people(topic, words):
    find(topic)

    [said, what_to_do] = ailments.warnings(now=NOW)

    assert words in said
    assert "EMAIL_URL" not in said
    assert what_to_do == TELL


def test_two_that_mean_the_same_are_told_once():
    for topic in ("broker", "workers", "schedule", "mail-server"):
        find(topic)

    assert len(ailments.warnings(now=NOW)) == 2


def test_a_doctor_that_has_stopped_looking_is_itself_a_warning():
    find("broker", "green", age=timedelta(minutes=9))

    [said, what_to_do] = ailments.warnings(now=NOW)

    assert said.startswith("Whether mail goes out was last looked at 9 minutes ago")
    assert what_to_do == TELL


def test_slow_checks_may_be_older_as_long_as_somebody_looks():
    find("spf", "green", age=timedelta(minutes=29))
    find("broker", "green")

    assert ailments.warnings(now=NOW) == []


def test_a_site_that_nobody_has_looked_at_yet_says_so():
    [said, _what_to_do] = ailments.warnings(now=NOW)

    assert said.startswith("Nobody has looked yet whether mail goes out.")


@pytest.mark.parametrize("way", ["one", "many"])
def test_the_question_before_publishing_warns_and_publishing_is_possible_all_the_same(client, way):
    host = make_host()
    client.force_login(make_organizer(host))
    webinar = make_webinar(host=host, status="draft")
    find("mail-server", now=timezone.now())
    page = reverse("admin:events_webinar_publish_one", args=[webinar.pk])
    data: dict[str, object] = {}
    if way == "many":
        page = reverse("admin:events_webinar_changelist")
        data = {"action": "publish_webinars", "_selected_action": [webinar.pk]}

    question = client.post(page, data) if way == "many" else client.get(page)
    client.post(page, {**data, "confirmed": "yes"})

    words = " ".join(unescape(re.sub(r"<[^>]*>", " ", question.content.decode())).split())
    assert "Mail is not going out at present" in words
    assert TELL in words
    assert "535" not in words
    assert Webinar.objects.get().status == "published"


def test_publishing_says_nothing_of_it_while_all_is_well(client):
    host = make_host()
    client.force_login(make_organizer(host))
    webinar = make_webinar(host=host, status="draft")
    find("mail-server", "green", now=timezone.now())

    question = client.get(reverse("admin:events_webinar_publish_one", args=[webinar.pk]))

    assert "whoever runs the site" not in question.content.decode()


def test_whoever_publishes_with_the_form_is_warned_as_well(client):
    host = make_host()
    client.force_login(make_organizer(host))
    webinar = make_webinar(host=host, status="draft")
    find("mail-server", now=timezone.now())
    page = reverse("admin:events_webinar_change", args=[webinar.pk])

    published = client.post(page, {**form_data(client.get(page)), "status": "published"}, follow=True)
    saved_again = client.post(page, {**form_data(client.get(page)), "summary": "Another."}, follow=True)

    assert Webinar.objects.get().status == "published"
    assert "Mail is not going out at present" in published.content.decode()
    assert "Mail is not going out at present" not in saved_again.content.decode()


def test_an_organizer_learns_whom_to_ask_and_whoever_runs_the_site_where_to_look(client):
    host = make_host()
    running = make_organizer(is_superuser=True, email="runs@example.org")
    find("mail-server", now=timezone.now())
    page = reverse("admin:events_webinar_publish_one", args=[make_webinar(host=host, status="draft").pk])

    client.force_login(make_organizer(host))
    asked = unescape(client.get(page).content.decode())
    client.force_login(running)
    known = unescape(client.get(page).content.decode())

    assert "Tell whoever runs the site, who finds more on the page “Doctor”: runs@example.org." in asked
    assert "The page “Doctor” says more." in known
    assert "Tell whoever runs" not in known
    warning = asked.index("Mail is not going out at present")
    assert 'role="alert"' in asked[:warning].rpartition("<div")[2]
