"""What organizers are asked before people hear of it, what they cannot undo, and what the history tells."""

from datetime import date, time

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from events import scheduling
from events.admin.widgets import storable
from events.models import Membership, Session, Webinar
from registrations import signup
from tests.builders import NOW, make_organizer, make_presenter, make_registration, make_session, make_webinar
from tests.events.test_admin import errors_of, form_data, url

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def taken(host):
    """A session in which somebody has a place."""
    session = make_session(make_webinar(host=host, title="Roads"), **COMING)
    make_registration(session)
    session.refresh_from_db()
    return session


def told(thing):
    """The history of a thing, newest first."""
    entries = LogEntry.objects.filter(object_id=str(thing.pk), content_type__model=thing._meta.model_name)
    return [entry.get_change_message() for entry in entries.order_by("-pk")]


# ---------- times ----------


@pytest.mark.parametrize("where", ["session", "webinar"])
def test_a_date_in_the_past_is_refused_beside_the_field(client, owner, taken, where):
    page = url(Session, "change", taken.pk) if where == "session" else url(Webinar, "change", taken.webinar_id)
    prefix = "" if where == "session" else "sessions-0-"
    data = form_data(client.get(page)) | {f"{prefix}local_date": "2020-05-14", f"{prefix}label": "Typed with care"}

    response = client.post(page, data | {"confirmed": ""})

    content = response.content.decode()
    assert response.status_code == 200
    assert "This is in the past. To call the session off, cancel it." in content
    assert 'value="Typed with care"' in content
    taken.refresh_from_db()
    assert taken.local_date == COMING["local_date"]


@pytest.mark.parametrize("where", ["session", "webinar"])
def test_what_an_act_refuses_is_shown_and_nothing_typed_is_lost(client, owner, taken, where, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise ValidationError({"local_date": "Not on a holiday."})

    monkeypatch.setattr(scheduling, "save_session", refuse)
    page = url(Session, "change", taken.pk) if where == "session" else url(Webinar, "change", taken.webinar_id)
    prefix = "" if where == "session" else "sessions-0-"
    data = form_data(client.get(page)) | {f"{prefix}label": "Typed with care"}

    response = client.post(page, data)

    assert response.status_code == 200
    assert "Not on a holiday." in response.content.decode()
    assert 'value="Typed with care"' in response.content.decode()


@pytest.mark.parametrize("where", ["session", "webinar"])
def test_the_answer_no_keeps_what_was_typed_and_saves_nothing(client, owner, taken, where):
    page = url(Session, "change", taken.pk) if where == "session" else url(Webinar, "change", taken.webinar_id)
    prefix = "" if where == "session" else "sessions-0-"
    data = form_data(client.get(page)) | {f"{prefix}local_time": "15:00", f"{prefix}label": "Typed with care"}

    question = client.post(page, data)
    carried = dict(question.context["carried"])
    back = client.post(page, carried | {"reconsidered": ""})

    content = back.content.decode()
    assert carried == {name: value for name, value in data.items() if value != []}
    assert "Nothing is saved yet. What you typed is still here." in content
    assert 'value="Typed with care"' in content
    assert 'value="15:00"' in content
    assert "Please correct the error" not in content
    taken.refresh_from_db()
    assert (taken.local_time, taken.label, taken.sequence) == (time(13, 30), "", 0)


def test_the_answer_yes_saves_the_webinar_and_its_sessions(client, owner, taken):
    page = url(Webinar, "change", taken.webinar_id)
    data = form_data(client.get(page)) | {"sessions-0-local_time": "15:00", "summary": "Mended."}

    carried = dict(client.post(page, data).context["carried"])
    response = client.post(page, carried | {"confirmed": ""}, follow=True)

    assert "1 person is being told of the change." in response.content.decode()
    taken.refresh_from_db()
    assert (taken.local_time, taken.webinar.summary) == (time(15, 0), "Mended.")


def test_nobody_is_asked_where_nobody_hears_of_it(client, owner, host, taken):
    empty = make_session(make_webinar(host=host), **COMING)

    for session, changed in ((empty, {"local_time": "15:00"}), (taken, {"label": "Suits Europe"})):
        page = url(Session, "change", session.pk)
        assert client.post(page, form_data(client.get(page)) | changed).status_code == 302


def test_fewer_places_than_one_are_refused_in_words(client, owner, host):
    session = make_session(make_webinar(host=host), **COMING)
    page = url(Session, "change", session.pk)

    response = client.post(page, form_data(client.get(page)) | {"capacity": "-3"})

    assert errors_of(response) == {"capacity": ["Enter at least 1, or nothing where there is no limit."]}


# ---------- addresses ----------


def test_the_address_of_a_webinar_stays_once_somebody_has_it(client, owner, host, taken):
    free = make_webinar(host=host, slug="free")
    given = make_webinar(host=host, slug="given")
    make_session(given, local_date=date(2020, 10, 28))
    cancelled = make_webinar(host=host, slug="left")
    signup.cancel(make_registration(make_session(cancelled, **COMING)), now=NOW)

    for webinar, is_fixed in ((free, False), (given, True), (cancelled, True), (taken.webinar, True)):
        page = url(Webinar, "change", webinar.pk)
        shown = client.get(page)
        client.post(page, form_data(shown) | {"slug": f"new-{webinar.slug}"})

        old = webinar.slug
        webinar.refresh_from_db()
        assert webinar.slug == (old if is_fixed else f"new-{old}")
        assert ("it stands in the calendars and mails" in shown.content.decode()) is is_fixed


# ---------- cancelling and deleting ----------


def test_the_page_of_a_webinar_leads_to_cancelling_each_session(client, owner, host, taken):
    cancelled = make_session(taken.webinar, state="cancelled", **COMING)

    content = client.get(url(Webinar, "change", taken.webinar_id)).content.decode()

    link = '<a href="{}" class="text-link whitespace-nowrap">{}</a>'
    assert link.format(url(Session, "change", taken.pk), "Cancel or open this session") in content
    assert link.format(url(Session, "change", cancelled.pk), "Open this session") in content
    assert '<span class="state-badge" data-state="cancelled">Cancelled</span>' in content


def test_a_session_with_people_offers_to_cancel_and_not_to_delete(client, owner, host, taken):
    empty = make_session(make_webinar(host=host), **COMING)

    with_people = client.get(url(Session, "change", taken.pk)).content.decode()
    without = client.get(url(Session, "change", empty.pk)).content.decode()

    assert f'<a href="/admin/events/session/{taken.pk}/cancel/" class="text-link' in with_people
    assert url(Session, "delete", taken.pk) not in with_people
    assert url(Session, "delete", empty.pk) in without


def test_a_viewer_is_not_led_to_cancelling(client, host, taken):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    for page in (url(Session, "change", taken.pk), url(Webinar, "change", taken.webinar_id)):
        content = client.get(page).content.decode()
        assert "state-badge" in content
        assert "Cancel" not in content


def test_deleting_a_cancelled_session_says_why_it_stays(client, owner, taken):
    scheduling.cancel_session(taken, by=None, now=NOW)

    response = client.post(url(Session, "delete", taken.pk), {"post": "yes"}, follow=True)

    content = response.content.decode()
    assert "It is cancelled already, and stays so that those who had registered still find it." in content
    assert "Cancel it instead" not in content


# ---------- history ----------


def test_the_history_says_from_when_to_when(client, owner, taken):
    page = url(Session, "change", taken.pk)
    data = form_data(client.get(page)) | {"local_date": "2031-05-15", "capacity": "40", "confirmed": ""}

    client.post(page, data)

    moved = "Date changed from Wed, 14 May 2031, 13:30 London, UTC+1 to Thu, 15 May 2031, 13:30 London, UTC+1."
    assert told(taken) == [f"{moved} Places changed from nothing to “40”."]


def test_a_session_moved_on_the_page_of_its_webinar_has_it_in_its_history(client, owner, taken):
    page = url(Webinar, "change", taken.webinar_id)
    data = form_data(client.get(page)) | {"sessions-0-local_time": "15:00", "title": "Rivers", "confirmed": ""}

    client.post(page, data)

    moved = "Date changed from Wed, 14 May 2031, 13:30 London, UTC+1 to Wed, 14 May 2031, 15:00 London, UTC+1."
    assert told(taken) == [moved]
    assert told(taken.webinar) == [f"Title changed from “Roads” to “Rivers”. Session 2031-05-14 13:30 London: {moved}"]


def test_a_session_cancelled_with_its_webinar_has_it_in_its_history(client, owner, taken):
    client.post(f"/admin/events/webinar/{taken.webinar_id}/cancel/", {"confirmed": "yes"})

    assert told(taken) == ["Cancelled with its webinar."]
    assert told(taken.webinar) == ["Cancelled."]


# ---------- rich text ----------


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("A1 | B1<p>bad</p>", "<p>A1 | B1</p><p>bad</p>"),
        (
            "<table><tr><td>A1</td> <td>B1</td></tr></table>bad<p class=MsoNormal>good<o:p></o:p></p>",
            "<p>A1 | B1</p><p>bad</p><p>good</p>",
        ),
        ("<b>x<p>y</p>z</b>", "<p><b>x</b></p><p><b>y</b></p><p><b>z</b></p>"),
        ("one\n\ntwo &lt; three", "<p>one</p><p>two &lt; three</p>"),
        ("<ul><li><p>a</p></li><li>b</li></ul>tail", "<ul><li>a</li><li>b</li></ul><p>tail</p>"),
        ("<blockquote>a<br>b</blockquote><h2>c</h2>", "<blockquote>a<br>b</blockquote><h4>c</h4>"),
    ],
)
def test_no_text_stays_outside_of_a_paragraph_and_the_second_save_changes_nothing(pasted, stored):
    once = storable(pasted)

    assert (once, storable(once)) == (stored, stored)


def test_a_viewer_reads_rich_text_as_it_looks(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    presenter = make_presenter(host=host, biography="<p>Guards <em>roads</em> &amp; rivers.</p>")

    content = client.get(url(type(presenter), "change", presenter.pk)).content.decode()

    assert "<p>Guards <em>roads</em> &amp; rivers.</p>" in content
