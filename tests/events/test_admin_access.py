"""Who may see a webinar and how a place is got: what organizers are asked, told and refused when they decide it."""

from datetime import date, time

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils.html import strip_tags

from events import guest_lists
from events.models import Host, Membership, Webinar
from tests.builders import make_organizer, make_registration, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


def page(thing):
    return reverse(f"admin:events_{thing._meta.model_name}_change", args=[thing.pk])


def save(client, thing, **changed):
    sent = posted(client.get(page(thing)), id=f"{thing._meta.model_name}_form")
    return client.post(page(thing), sent | changed, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def errors_of(response):
    return dict(response.context["adminform"].form.errors)


# ---------- the password ----------


def test_a_page_with_a_password_needs_one(client, owner, host):
    webinar = make_webinar(host=host, status="draft")

    response = save(client, webinar, access="password")

    assert errors_of(response) == {"access_password": ["Choose the password that people will be told."]}
    webinar.refresh_from_db()
    assert webinar.access == "everyone"


def test_a_password_is_kept_as_it_was_written_and_not_in_the_history(client, owner, host):
    webinar = make_webinar(host=host, status="draft")

    save(client, webinar, access="password", access_password=" Rio Grande 2026 ")

    webinar.refresh_from_db()
    [entry] = LogEntry.objects.all()
    assert (webinar.access, webinar.access_password) == ("password", "Rio Grande 2026")
    assert "Rio Grande" not in entry.get_change_message()
    assert "Password of the page changed." in entry.get_change_message()


# ---------- other readers ----------


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ("unlisted", "Whoever has its address can see the page from now on."),
        ("members", "Strangers no longer see the page: only members do"),
        ("invited", "Strangers no longer see the page: only invited people do"),
        ("password", "Strangers no longer see the page: only whoever knows the password does."),
    ],
)
def test_whoever_closes_a_published_page_is_asked_and_told_who_keeps_what(client, owner, host, access, words):
    webinar = make_webinar(host=host)
    session = make_session(webinar, **COMING)
    make_registration(session)
    make_registration(session)

    question = save(client, webinar, access=access, access_password="river")
    webinar.refresh_from_db()
    before = webinar.access
    carried = dict(question.context["carried"])
    client.post(page(webinar), carried | {"confirmed": ""})

    webinar.refresh_from_db()
    assert words in words_of(question)
    assert "2 people have registered, and keep what they have, and their own pages." in words_of(question)
    assert "told by mail" not in words_of(question)
    assert (before, webinar.access) == ("everyone", access)


def test_whoever_opens_a_page_is_asked_as_well(client, owner, host):
    webinar = make_webinar(host=host, access="unlisted")

    question = save(client, webinar, access="everyone")

    assert "Everyone can see the page from now on, and find it in lists and search engines." in words_of(question)


def test_nobody_is_asked_about_a_draft_or_about_other_changes(client, owner, host):
    draft, published = make_webinar(host=host, status="draft"), make_webinar(host=host, access="unlisted")

    for response in (save(client, draft, access="unlisted"), save(client, published, summary="Mended.")):
        assert "was changed successfully" in response.content.decode()


def test_a_new_time_and_other_readers_are_asked_about_once(client, owner, host):
    webinar = make_webinar(host=host)
    make_registration(make_session(webinar, **COMING))

    question = save(client, webinar, **{"access": "unlisted", "sessions-0-local_time": "15:00"})
    client.post(page(webinar), dict(question.context["carried"]) | {"confirmed": ""})

    assert "Whoever has its address can see the page from now on." in words_of(question)
    assert "1 person holds a place or waits for one, and is told by mail of what changes:" in words_of(question)
    assert "Save and tell 1 person" in words_of(question)
    webinar.refresh_from_db()
    assert (webinar.access, webinar.sessions.get().local_time) == ("unlisted", time(15, 0))


def test_a_page_that_nobody_could_see_says_so(client, owner, host):
    for_members, for_invited = make_webinar(host=host, status="draft"), make_webinar(host=host, status="draft")

    members = save(client, for_members, access="members")
    invited = save(client, for_invited, access="invited")

    assert "has no domains of members yet, so nobody but its organizers can see this webinar." in words_of(members)
    assert "Nobody is on the list yet, so nobody but the organizers can see this webinar. Add addresses" in words_of(
        invited
    )


def test_a_page_that_somebody_sees_says_nothing_of_the_kind(client, owner, host):
    Host.objects.filter(pk=host.pk).update(member_domains="example.org")
    for_members, for_invited = make_webinar(host=host, status="draft"), make_webinar(host=host, status="draft")
    guest_lists.invite(for_invited, ["anna@example.org"])

    responses = [save(client, for_members, access="members"), save(client, for_invited, access="invited")]

    for response in responses:
        assert "nobody but" not in words_of(response)


def test_publishing_says_for_whom_the_page_opens(client, owner, host):
    closed = make_webinar(host=host, status="draft", title="Roads", access="password", access_password="river")
    plain = make_webinar(host=host, status="draft", title="Rivers")

    for_some, for_all = (
        words_of(client.get(reverse("admin:events_webinar_publish_one", args=[webinar.pk])))
        for webinar in (closed, plain)
    )

    assert "Roads. Who can view: Whoever has the password." in for_some
    assert "opens for everybody" not in for_some
    assert "Its page opens for everybody, and people can register." in for_all


def test_viewers_read_what_matters_and_no_more(client, host):
    webinar = make_webinar(host=host, access="password", access_password="river", needs_approval=True)
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    words = words_of(client.get(page(webinar)))

    assert "Password of the page river" in words
    assert "Invited addresses" not in words
    assert "Domains of members" not in words
    assert client.post(page(webinar), {"access": "everyone"}).status_code == 403


# ---------- hosts ----------


def test_domains_are_kept_in_small_letters_one_a_line(client, owner, host):
    save(client, host, member_domains=" Example.ORG \r\n@example.com\r\n\r\nbücher.example.\r\nexample.org")

    host.refresh_from_db()
    assert host.domains == ["example.org", "example.com", "bücher.example"]
    assert host.member_domains == "example.org\nexample.com\nbücher.example"


def test_what_is_no_domain_is_named_with_its_line(client, owner, host):
    response = save(client, host, member_domains="example.org\nanna@example.org\nexample\nexample .org\n[127.0.0.1]")

    assert errors_of(response) == {
        "member_domains": [
            f"Line {line}, “{text}”: this is no domain. It should look like example.org"
            for line, text in ((2, "anna@example.org"), (3, "example"), (4, "example .org"), (5, "[127.0.0.1]"))
        ]
    }
    assert "anna@example.org" in response.content.decode()
    host.refresh_from_db()
    assert host.member_domains == ""


def test_an_owner_decides_on_the_second_step_and_an_editor_does_not(client, owner, host):
    save(client, host, requires_second_factor="on")
    host.refresh_from_db()
    by_owner = host.requires_second_factor
    Host.objects.filter(pk=host.pk).update(requires_second_factor=False)
    client.force_login(make_organizer(host, role=Membership.Role.EDITOR))

    response = client.post(page(host), {"name": host.name, "requires_second_factor": "on"})

    host.refresh_from_db()
    assert by_owner
    assert response.status_code == 403
    assert not host.requires_second_factor


def test_help_says_what_people_will_meet(client, owner, host):
    webinar, page_of_host = words_of(client.get(page(make_webinar(host=host)))), words_of(client.get(page(host)))

    assert "this site takes no money" in webinar
    assert "In the time of London, the host's home time zone (Europe/London)." in webinar
    assert "such as gmail.com" in page_of_host


def test_every_access_has_words_for_whoever_changes_it(client, owner, host):
    for access in Webinar.Access:
        webinar = make_webinar(host=host, access="unlisted" if access != "unlisted" else "everyone")

        question = save(client, webinar, access=access, access_password="river")

        assert "Save this change?" in words_of(question), access
