"""The doctor's page: for superusers, quick to open, and readable without colours."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.utils import timezone

from events.models import Finding
from registrations.models import Message, Probe
from tests.builders import make_host, make_organizer
from tests.servers import SmtpSink
from webinar_site import doctor

pytestmark = pytest.mark.django_db

PAGE = "/admin/doctor/"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def superuser(client):
    user = make_organizer(is_superuser=True)
    client.force_login(user)
    return user


def words_of(response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def find(topic: str, light: str, *, age: timedelta, **fields) -> Finding:
    return Finding.objects.create(
        **{"topic": topic, "light": light, "what": "Seen.", "looked_at": timezone.now() - age, **fields}
    )


def test_only_superusers_get_the_page_and_its_entry_in_the_menu(client):
    client.force_login(make_organizer())
    organizers_page, organizers_menu = client.get(PAGE), client.get("/admin/").content.decode()
    client.force_login(make_organizer(is_superuser=True))
    superusers_page, superusers_menu = client.get(PAGE), client.get("/admin/").content.decode()
    client.logout()

    assert (organizers_page.status_code, superusers_page.status_code, client.get(PAGE).status_code) == (403, 200, 302)
    assert (PAGE in organizers_menu, PAGE in superusers_menu) == (False, True)


def test_an_organizer_cannot_send_or_look_either(client):
    client.force_login(make_organizer())

    for button in ("send_invite", "look_again"):
        assert client.post(PAGE, {button: "yes", "to_email": "me@example.net"}).status_code == 403

    assert not Message.objects.exists()
    assert not Finding.objects.exists()


def test_each_check_has_its_line_with_its_light_in_words_and_what_to_do(client, superuser):
    page = client.get(PAGE)

    words = words_of(page)
    for check in doctor.CHECKS:
        assert f'id="{check.topic}"' in page.content.decode()
        assert str(check.name) in words
    assert "Red Something does not work: Broker" in words
    assert '<a class="text-link" href="#broker">Broker</a>' in page.content.decode()
    assert "Red Broker The broker does not answer: mail waits. What to do: Look at REDIS_URL and at Redis." in words
    assert "Green Database The database answers" in words


def test_what_is_red_stands_first_and_then_what_is_amber(client, superuser):
    find("spf", "red", age=timedelta(minutes=12))
    find("mail-server", "green", age=timedelta(minutes=12))

    lights = [line.light for line in client.get(PAGE).context["lines"]]

    assert set(lights) == {"red", "amber", "green"}
    assert lights == sorted(lights, key=["red", "amber", "green"].index)


def test_the_page_tells_the_age_of_what_was_not_looked_at_just_now(client, superuser):
    find("spf", "red", age=timedelta(minutes=12), what="One.\nTwo.", to_do="Mend one.\nMend two.")
    find("broker", "green", age=timedelta(minutes=12))

    words = words_of(client.get(PAGE))

    assert "Red SPF One. Two. What to do: Mend one. What to do: Mend two. Looked at 12 minutes ago." in words
    assert words.count("12 minutes ago") == 1
    assert "Amber DKIM Nobody has looked at this yet." in words


def test_opening_the_page_asks_neither_mail_server_nor_dns_and_writes_nothing(
    client, superuser, settings, smtp_sink: SmtpSink
):
    settings.EMAIL_URL = smtp_sink.url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port

    client.get(PAGE)

    assert smtp_sink.connections == 0
    assert not Finding.objects.exists()


def test_the_number_of_queries_does_not_grow_with_hosts(client, superuser, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        client.get(PAGE)
    for number in range(5):
        make_host(sender_email=f"host{number}@example.org")

    with django_assert_num_queries(len(one)):
        client.get(PAGE)


def test_looking_again_makes_every_check_keeps_it_and_leads_back(client, superuser):
    response = client.post(PAGE, {"look_again": "yes"}, follow=True)

    assert response.redirect_chain == [(PAGE, 302)]
    assert Finding.objects.count() == len(doctor.CHECKS)
    assert "The doctor has looked at everything again." in words_of(response)
    assert "Nobody has looked at this yet" not in words_of(response)


def test_an_invite_is_sent_to_the_address_that_was_typed(client, superuser, settings):
    settings.DEFAULT_FROM_EMAIL = "Webinars <webinars@example.org>"
    make_host(sender_email="roads@example.org")
    form = client.get(PAGE).content.decode()

    response = client.post(
        PAGE, {"send_invite": "yes", "to_email": "me@example.net", "sender_email": "roads@example.org"}, follow=True
    )

    assert f'value="{superuser.email}"' in form
    [probe] = Probe.objects.all()
    assert (probe.message.to_email, probe.sender_email) == ("me@example.net", "roads@example.org")
    assert "An invite is on its way to you" in words_of(response)
    assert "An invite to me@example.net waits to be sent" in words_of(response)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"to_email": "nobody"}, "has no @ sign"),
        ({"to_email": ""}, "This field is required."),
        ({"to_email": "webinars@webinars.example"}, "from this address to itself"),
        ({"sender_email": "other@example.org"}, "is not one of the available choices"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_what_was_typed_stays(client, superuser, typed, words):
    data = {"send_invite": "yes", "to_email": "me@example.net", "sender_email": "webinars@webinars.example", **typed}

    response = client.post(PAGE, data)

    assert response.status_code == 422
    assert words in words_of(response)
    assert f'value="{data["to_email"]}"' in response.content.decode() or not data["to_email"]
    assert not Message.objects.exists()


def test_no_style_of_ours_has_the_name_by_which_the_admin_marks_its_scheme():
    """Where somebody has chosen one, `light` or `dark` stands on the whole page."""
    rules = (settings.BASE_DIR / "static" / "admin" / "organizers.css").read_text()

    assert not re.search(r"(?m)^\s*\.(light|dark)[ ,:{\[](?![^{]*[.#])", rules)
