"""The page with the list of invited people: pasting, importing, searching, taking off, and who may."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from events import guest_lists
from events.models import Membership, Webinar
from tests.builders import make_host, make_organizer, make_webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(host):
    return make_webinar(host=host, access=Webinar.Access.INVITED)


def page(webinar):
    return reverse("admin:events_webinar_invited_people", args=[webinar.pk])


def on_the_list(webinar):
    return list(webinar.invitees.values_list("email", flat=True))


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def upload(text):
    return SimpleUploadedFile("people.csv", text if isinstance(text, bytes) else text.encode(), "text/csv")


def test_five_pasted_addresses_two_of_them_wrong_are_refused_whole(client, owner, webinar):
    typed = "anna@example.org\nbob.example.org\ncarl@example.org\ndora@example\nemil@example.org"

    response = client.post(page(webinar), {"addresses": typed})

    words = words_of(response)
    assert response.status_code == 422
    assert "2 entries are no addresses, so nothing has been added yet." in words
    assert "Line 2, “bob.example.org”: The email address has no @ sign." in words
    assert "Line 4, “dora@example”: The email address has no ending." in words
    assert "3 addresses would be added." in words
    assert typed in response.content.decode()
    assert on_the_list(webinar) == []


def test_nothing_wrong_is_added_even_when_it_is_confirmed(client, owner, webinar):
    response = client.post(page(webinar), {"addresses": "anna@example.org\nbob.example.org", "confirmed": "yes"})

    assert response.status_code == 422
    assert on_the_list(webinar) == []


def test_what_is_no_address_is_left_out_on_request_and_shown_first(client, owner, webinar):
    typed = {"addresses": "anna@example.org\nbob.example.org", "without_mistakes": "yes"}

    response = client.post(page(webinar), typed)

    assert response.status_code == 200
    assert response.context["form"]["addresses"].value() == "anna@example.org"
    assert "1 address would be added." in words_of(response)
    assert on_the_list(webinar) == []


def test_right_addresses_are_shown_first_and_then_added(client, owner, webinar):
    guest_lists.invite(webinar, ["anna@example.org"])
    typed = {"addresses": "ANNA@example.org; bob@example.org\nbob@example.org\ncarl@example.org"}

    shown = client.post(page(webinar), typed)
    before = on_the_list(webinar)
    done = client.post(page(webinar), {**typed, "confirmed": "yes"}, follow=True)

    words = words_of(shown)
    assert "2 addresses would be added. 1 is on the list already. 1 stands here twice and counts once." in words
    assert before == ["anna@example.org"]
    assert "2 addresses are new on the list. 1 was on it already." in words_of(done)
    assert on_the_list(webinar) == ["anna@example.org", "bob@example.org", "carl@example.org"]


def test_a_file_stands_in_the_box_to_be_looked_at_before_it_is_added(client, owner, webinar):
    file = upload("\ufeffName;Email\nAnna;anna@example.org\nBob;bob@example.org\n")

    shown = client.post(page(webinar), {"addresses": "carl@example.org", "file": file, "confirmed": "yes"})
    box = shown.context["form"]["addresses"].value()
    client.post(page(webinar), {"addresses": box, "confirmed": "yes"})

    assert box == "carl@example.org\nanna@example.org\nbob@example.org"
    assert "3 addresses would be added." in words_of(shown)
    assert on_the_list(webinar) == ["anna@example.org", "bob@example.org", "carl@example.org"]


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({}, "addresses", "Paste addresses here, or choose a file."),
        ({"addresses": " \n, ;"}, "addresses", "There is no address in this."),
        ({"file": "é@example.org".encode("latin-1")}, "file", "This is no text in UTF-8."),
        ({"file": b""}, "file", "This file is empty."),
        ({"file": b"a" * (1024 * 1024 + 1)}, "file", "At most 1 MB is taken at once: split it."),
        ({"addresses": "a@b.example\n" * 90_000}, "addresses", "At most 1 MB is taken at once."),
        (
            {"addresses": "\n".join(f"p{number}@example.org" for number in range(20_001))},
            "addresses",
            "These are 20001 addresses. At most 20000 are taken at once",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_beside_its_field(client, owner, webinar, sent, field, words):
    data = {name: upload(value) if name == "file" else value for name, value in sent.items()}

    response = client.post(page(webinar), data)

    assert response.status_code == 422
    [said] = response.context["form"].errors[field]
    assert words in said
    assert on_the_list(webinar) == []


def test_one_is_taken_off_and_the_search_stays(client, owner, webinar):
    guest_lists.invite(webinar, ["anna@example.org", "anton@example.org", "bob@example.org"])
    anna = webinar.invitees.get(email="anna@example.org")

    found = client.get(page(webinar), {"q": "AN"})
    response = client.post(f"{page(webinar)}?q=AN", {"remove": str(anna.pk)}, follow=True)
    again = client.post(page(webinar), {"remove": str(anna.pk)})

    assert [row.email for row in found.context["page"]] == ["anna@example.org", "anton@example.org"]
    assert [row.email for row in response.context["page"]] == ["anton@example.org"]
    assert "anna@example.org is off the list." in words_of(response)
    assert again.status_code == 302
    assert on_the_list(webinar) == ["anton@example.org", "bob@example.org"]


def test_the_list_is_emptied_only_after_a_question(client, owner, webinar):
    guest_lists.invite(webinar, ["anna@example.org", "bob@example.org"])

    question = client.post(page(webinar), {"remove_all": "yes"})
    no = client.post(page(webinar), {"remove_all": "yes", "reconsidered": ""})
    before = webinar.invitees.count()
    done = client.post(page(webinar), {"remove_all": "yes", "confirmed": ""}, follow=True)

    assert "2 addresses are taken off the list" in words_of(question)
    assert (no.status_code, before) == (302, 2)
    assert "2 addresses are off the list." in words_of(done)
    assert on_the_list(webinar) == []


def test_viewers_look_and_change_nothing(client, webinar, host):
    guest_lists.invite(webinar, ["anna@example.org"])
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    shown = client.get(page(webinar))

    assert "anna@example.org" in shown.content.decode()
    assert "Take off" not in shown.content.decode()
    for data in (
        {"addresses": "bob@example.org", "confirmed": "yes"},
        {"remove": str(webinar.invitees.get().pk)},
        {"remove_all": "yes", "confirmed": "yes"},
    ):
        assert client.post(page(webinar), data).status_code == 403
    assert on_the_list(webinar) == ["anna@example.org"]


def test_other_hosts_organizers_neither_see_nor_change_the_list(client, webinar):
    guest_lists.invite(webinar, ["anna@example.org"])
    mine = make_webinar(host=make_host())
    client.force_login(make_organizer(mine.host))

    shown = client.get(page(webinar), follow=True)
    posted = client.post(page(webinar), {"addresses": "bob@example.org", "confirmed": "yes"})
    stolen = client.post(page(mine), {"remove": str(webinar.invitees.get().pk)})

    assert "anna@example.org" not in shown.content.decode()
    assert posted.status_code == 403
    assert stolen.status_code == 302
    assert on_the_list(webinar) == ["anna@example.org"]


def test_the_page_of_the_webinar_leads_to_the_list_with_its_number(client, owner, webinar):
    guest_lists.invite(webinar, ["anna@example.org", "bob@example.org"])

    content = client.get(reverse("admin:events_webinar_change", args=[webinar.pk])).content.decode()

    assert "Invited people (2)" in content
    assert "2 on the list." in content
    assert page(webinar) in content


def test_a_list_that_is_not_used_says_so(client, owner, host):
    webinar = make_webinar(host=host)

    words = words_of(client.get(page(webinar)))

    assert "The list is not used at present. On the page of the webinar, “Who can view” says: Everyone." in words


def test_the_history_tells_of_a_change_without_addresses(client, owner, webinar):
    client.post(page(webinar), {"addresses": "anna@example.org", "confirmed": "yes"})

    [entry] = LogEntry.objects.all()
    assert entry.get_change_message() == "The list of invited people changed."


def test_a_long_list_has_pages_and_takes_no_more_queries(client, owner, webinar):
    counts = []
    for number in (3, 250):
        guest_lists.invite(webinar, [f"person{each:03}@example.org" for each in range(number)])
        client.get(page(webinar))
        with CaptureQueriesContext(connection) as captured:
            response = client.get(page(webinar), {"page": "2"})
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert len(response.context["page"].object_list) == 100
    assert "Page 2 of 3" in words_of(response)
