"""What organizers may see and do in the admin, and that whatever changes a calendar goes through the acts."""

from datetime import UTC, date, datetime, time
from io import BytesIO

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.forms import ModelMultipleChoiceField
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from events import scheduling
from events.models import DisplayZone, Host, Membership, Offer, Partner, Presenter, Series, Session, User, Webinar
from events.signals import session_cancelled, session_rescheduled
from registrations.models import Message
from tests.builders import (
    NOW,
    make_host,
    make_offer,
    make_organizer,
    make_presenter,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def heard():
    """The announcements of the catalogue that went out."""
    announcements = []

    def listen(signal, session, **_rest):
        announcements.append((signal, session.pk))

    session_rescheduled.connect(listen)
    session_cancelled.connect(listen)
    yield announcements
    session_rescheduled.disconnect(listen)
    session_cancelled.disconnect(listen)


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def form_data(response):
    """What the browser would send for the page as it came."""
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for field in form:
            value = field.value()
            if field.field.show_hidden_initial:
                data[field.html_initial_name] = form.data.get(
                    field.html_initial_name, "" if value is None else str(value)
                )
            if value is None or value is False:
                continue
            widget = getattr(field.field.widget, "widget", field.field.widget)  # without the buttons around it
            shown = widget.format_value(value)
            if isinstance(shown, list) and not isinstance(field.field, ModelMultipleChoiceField):
                shown = shown[0] if shown else ""
            data[field.html_name] = "on" if value is True else shown
    return {name: value for name, value in data.items() if value is not None and not hasattr(value, "file")}


def session_data(**changed):
    return {
        "label": "",
        "local_date": "2031-05-14",
        "local_time": "13:30",
        "time_zone": "Europe/London",
        "occurrence": "",
        "anchor": "wall_clock",
        "duration_minutes": "90",
        "capacity": "",
        "has_waiting_list": "on",
        "join_url": "https://meet.example.org/room/7",
        **changed,
    }


def webinar_data(**changed):
    formsets = ("sessions", "appearances", "partnerships", "display_zones", "questions", "mail_rules")
    management = {f"{name}-{total}_FORMS": "0" for name in formsets for total in ("TOTAL", "INITIAL")}
    return {
        "title": "Roads and Rivers",
        "slug": "roads-and-rivers",
        "language": "en",
        "summary": "Who guards what.",
        "status": "draft",
        "access": "everyone",
        "price_amount": "0",
        "replay_access": "everyone",
        **management,
        **changed,
    }


def as_inline(prefix, index, data):
    return {f"{prefix}-{index}-{name}": value for name, value in data.items()}


def errors_of(response):
    return dict(response.context["adminform"].form.errors)


class Theirs:
    """Everything that another host has."""

    def __init__(self):
        self.host = make_host(name="Foreign Office")
        self.webinar = make_webinar(host=self.host, title="Foreign webinar")
        self.session = make_session(self.webinar, label="Foreign session", **COMING)
        self.presenter = make_presenter(host=self.host, name="Foreign presenter")
        self.series = Series.objects.create(host=self.host, title="Foreign series", slug="foreign-series")
        self.partner = Partner.objects.create(host=self.host, name="Foreign partner")
        self.offer = make_offer(self.webinar, headline="Foreign offer")

    @property
    def objects(self):
        return [self.host, self.webinar, self.session, self.presenter, self.series, self.partner, self.offer]


# ---------- who may see what ----------


@pytest.mark.parametrize("model", [Host, Webinar, Session, Presenter, Series, Partner, Offer])
def test_lists_and_searches_know_no_other_host(client, owner, host, model):
    Theirs()
    make_session(make_webinar(host=host), **COMING)

    for query in ("", "?q=oreig", "?all="):
        response = client.get(url(model, "changelist") + query)

        assert response.status_code == 200
        assert "Foreign" not in response.content.decode()


def test_pages_by_a_guessed_id_are_not_found(client, owner):
    theirs = Theirs()

    for thing in theirs.objects:
        for page in ("change", "delete", "history"):
            response = client.get(url(type(thing), page, thing.pk))

            assert response.status_code in {302, 403}, (thing, page)
            if response.status_code == 302:
                assert response.url == reverse("admin:index")


def test_autocomplete_knows_no_other_host(client, owner, host):
    theirs = Theirs()
    make_presenter(host=host, name="Foreign but ours")
    query = {"app_label": "events", "model_name": "appearance", "field_name": "presenter", "term": "Foreign"}

    found = client.get(reverse("admin:autocomplete"), query).json()["results"]

    assert [row["text"] for row in found] == ["Foreign but ours"]
    assert theirs.presenter.name not in str(found)


def test_choices_and_filters_name_no_other_host(client, owner, host):
    Theirs()
    mine = make_webinar(host=host)

    for address in (url(Webinar, "add"), url(Webinar, "change", mine.pk), url(Session, "add"), url(Offer, "add")):
        assert "Foreign" not in client.get(address).content.decode()


def test_a_forged_choice_is_refused_beside_the_field(client, owner, host):
    theirs = Theirs()
    forged = webinar_data(
        host=str(host.pk),
        series=str(theirs.series.pk),
        recommended=[str(theirs.webinar.pk)],
        **as_inline("appearances", 0, {"presenter": str(theirs.presenter.pk), "role": "presenter", "order": "0"}),
        **{"appearances-TOTAL_FORMS": "1"},
    )

    response = client.post(url(Webinar, "add"), forged)

    assert response.status_code == 200
    assert set(errors_of(response)) == {"series", "recommended"}
    appearances = next(f for f in response.context["inline_admin_formsets"] if f.formset.prefix == "appearances")
    assert "presenter" in appearances.formset.forms[0].errors
    assert not Webinar.objects.filter(slug="roads-and-rivers").exists()


def test_a_webinar_cannot_be_made_for_another_host(client, owner):
    theirs = Theirs()

    response = client.post(url(Webinar, "add"), webinar_data(host=str(theirs.host.pk)))

    assert "host" in errors_of(response)
    assert not Webinar.objects.filter(slug="roads-and-rivers").exists()


def test_actions_with_forged_ids_do_nothing(client, owner, heard):
    theirs = Theirs()
    draft = make_webinar(host=theirs.host, status="draft")
    posts = [
        (Session, "cancel_sessions", theirs.session),
        (Session, "delete_selected", theirs.session),
        (Webinar, "cancel_webinars", theirs.webinar),
        (Webinar, "publish_webinars", draft),
        (Presenter, "delete_selected", theirs.presenter),
    ]

    for model, action, thing in posts:
        data = {"action": action, "_selected_action": [thing.pk], "confirmed": "yes", "post": "yes"}
        client.post(url(model, "changelist"), data)
    for page in ("cancel", "publish"):
        assert client.post(f"/admin/events/webinar/{draft.pk}/{page}/", {"confirmed": "yes"}).status_code == 403
    assert client.post(f"/admin/events/session/{theirs.session.pk}/cancel/", {"confirmed": "yes"}).status_code == 403

    theirs.session.refresh_from_db()
    draft.refresh_from_db()
    theirs.webinar.refresh_from_db()
    assert not theirs.session.is_cancelled
    assert draft.status == "draft"
    assert theirs.webinar.status == "published"
    assert Presenter.objects.filter(pk=theirs.presenter.pk).exists()
    assert heard == []


def test_viewer_looks_and_changes_nothing(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    session = make_session(make_webinar(host=host, title="Roads"), **COMING)

    assert client.get(url(Webinar, "change", session.webinar_id)).status_code == 200
    assert client.get(url(Session, "changelist")).status_code == 200
    for address, data in (
        (url(Session, "change", session.pk), session_data(local_time="15:00")),
        (url(Webinar, "change", session.webinar_id), webinar_data(title="Taken over")),
        (url(Webinar, "add"), webinar_data(host=str(host.pk))),
        (url(Session, "delete", session.pk), {"post": "yes"}),
        (f"/admin/events/session/{session.pk}/cancel/", {"confirmed": "yes"}),
        (f"/admin/events/webinar/{session.webinar_id}/cancel/", {"confirmed": "yes"}),
    ):
        assert client.post(address, data).status_code == 403, address

    session.refresh_from_db()
    assert (session.local_time, session.is_cancelled, session.webinar.title) == (time(13, 30), False, "Roads")


def test_viewer_here_and_editor_there_acts_only_there(client, host):
    editor = make_organizer(host, role=Membership.Role.EDITOR)
    looked_at = make_host()
    Membership.objects.create(host=looked_at, user=editor, role=Membership.Role.VIEWER)
    client.force_login(editor)
    mine = make_session(make_webinar(host=host), **COMING)
    other = make_session(make_webinar(host=looked_at), **COMING)

    data = {"action": "cancel_sessions", "_selected_action": [mine.pk, other.pk], "confirmed": "yes"}
    client.post(url(Session, "changelist"), data)

    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.is_cancelled, other.is_cancelled) == (True, False)


def test_editor_does_not_change_the_host_or_its_members(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.EDITOR))

    page = client.get(url(Host, "change", host.pk))
    answer = client.post(url(Host, "change", host.pk), {"name": "Ours now"})

    assert page.status_code == 200
    assert answer.status_code == 403


def test_users_are_for_superusers_only(client, owner):
    assert client.get(url(User, "changelist")).status_code == 403

    client.force_login(User.objects.create_superuser("root@example.org"))
    assert client.get(url(User, "changelist")).status_code == 200
    response = client.post(url(User, "add"), {"email": "new@example.org", "is_staff": "on"})

    assert response.status_code == 302
    new = User.objects.get(email="new@example.org")
    assert new.is_staff
    assert not new.has_usable_password()
    assert client.get(url(User, "change", new.pk)).status_code == 200


def test_member_without_staff_does_not_enter(client, host):
    client.force_login(make_organizer(host, is_staff=False))

    assert client.get(reverse("admin:index")).status_code in {302, 403}


def test_offer_for_the_whole_site_is_for_superusers(client, owner, host):
    data = {
        "host": str(host.pk),
        "scope": "site",
        "headline": "For all",
        "redemptions_per_code": "1",
        "conditions-TOTAL_FORMS": "0",
        "conditions-INITIAL_FORMS": "0",
    }

    refused = client.post(url(Offer, "add"), data)
    client.force_login(User.objects.create_superuser("root@example.org"))
    made = client.post(url(Offer, "add"), data)

    assert set(errors_of(refused)) == {"scope"}
    assert made.status_code == 302
    assert Offer.objects.get().scope == "site"


# ---------- members ----------


def members_data(client, host):
    return form_data(client.get(url(Host, "change", host.pk)))


def test_owner_adds_a_member_by_address(client, owner, host):
    data = members_data(client, host)
    data |= {"memberships-TOTAL_FORMS": "2", "memberships-1-email": "Vera@example.org", "memberships-1-role": "editor"}

    response = client.post(url(Host, "change", host.pk), data)

    assert response.status_code == 302
    vera = User.objects.get(email="Vera@example.org")
    assert vera.is_staff
    assert vera.memberships.get().role == "editor"


def test_a_person_is_a_member_once(client, owner, host):
    data = members_data(client, host)
    data |= {"memberships-TOTAL_FORMS": "2", "memberships-1-email": owner.email.upper(), "memberships-1-role": "viewer"}

    response = client.post(url(Host, "change", host.pk), data)

    assert "This person is an organizer already." in response.content.decode()


def test_the_last_owner_stays(client, owner, host):
    data = members_data(client, host) | {"memberships-0-role": "viewer"}

    response = client.post(url(Host, "change", host.pk), data)

    assert "A host needs at least one owner." in response.content.decode()
    assert Membership.objects.get(user=owner).role == "owner"


# ---------- webinars and their sessions ----------


def test_a_webinar_with_two_sessions_is_made_in_one_form(client, owner, host):
    data = webinar_data(
        host=str(host.pk),
        about="<div>First<br><br>Second</div><h1>Why</h1><script>alert(1)</script>",
        **as_inline("sessions", 0, session_data()),
        **as_inline("sessions", 1, session_data(local_time="18:00", time_zone="Asia/Tashkent")),
        **as_inline("display_zones", 0, {"time_zone": "Asia/Tashkent", "order": "0"}),
        **{"sessions-TOTAL_FORMS": "2", "display_zones-TOTAL_FORMS": "1"},
    )

    response = client.post(url(Webinar, "add"), data)

    assert response.status_code == 302, errors_of(response)
    webinar = Webinar.objects.get(slug="roads-and-rivers")
    assert webinar.about == "<p>First</p><p>Second</p><h3>Why</h3>"
    assert [s.starts_at for s in webinar.sessions.all()] == [
        datetime(2031, 5, 14, 12, 30, tzinfo=UTC),
        datetime(2031, 5, 14, 13, 0, tzinfo=UTC),
    ]
    assert DisplayZone.objects.get().time_zone == "Asia/Tashkent"


def test_the_address_follows_from_the_title(client, owner, host):
    client.post(url(Webinar, "add"), webinar_data(host=str(host.pk), slug=""))

    assert Webinar.objects.get().slug == "roads-and-rivers"


def test_the_only_host_is_chosen_already(client, owner, host):
    form = client.get(url(Webinar, "add")).context["adminform"].form

    assert form["host"].value() == host.pk


def test_moving_a_session_on_its_own_page_goes_through_the_act(client, owner, host, heard):
    session = make_session(make_webinar(host=host), **COMING)
    make_registration(session)

    page = client.get(url(Session, "change", session.pk))
    data = form_data(page) | {"local_time": "15:00"}
    question = client.post(url(Session, "change", session.pk), data)
    session.refresh_from_db()
    assert (session.local_time, heard) == (time(13, 30), [])
    response = client.post(url(Session, "change", session.pk), data | {"confirmed": ""}, follow=True)

    session.refresh_from_db()
    assert "1 person holds a place or waits for one, and is told by mail" in question.content.decode()
    assert (
        "moves from Wed, 14 May 2031, 13:30 London, UTC+1 "
        "to Wed, 14 May 2031, 15:00 London, UTC+1." in question.content.decode()
    )
    assert "1 person holds a place and is told when you save another time." in page.content.decode()
    assert (session.local_time, session.sequence) == (time(15, 0), 1)
    assert heard == [(session_rescheduled, session.pk)]
    assert "1 person is being told of the change." in response.content.decode()


def test_moving_a_session_on_the_page_of_its_webinar_goes_through_the_act(client, owner, host, heard):
    webinar = make_webinar(host=host)
    stays = make_session(webinar, **COMING)
    moves = make_session(webinar, **{**COMING, "local_time": time(18, 0)})

    data = form_data(client.get(url(Webinar, "change", webinar.pk))) | {"sessions-1-local_time": "19:00"}
    response = client.post(url(Webinar, "change", webinar.pk), data)

    assert response.status_code == 302
    moves.refresh_from_db()
    stays.refresh_from_db()
    assert (moves.sequence, stays.sequence) == (1, 0)
    assert heard == [(session_rescheduled, moves.pk)]


STALE = "Somebody else has changed this session since you opened it."


def move(session, **changed):
    """What another organizer does meanwhile."""
    stored = Session.objects.get(pk=session.pk)
    for field, value in changed.items():
        setattr(stored, field, value)
    return scheduling.save_session(stored, by=None, now=NOW)


def test_an_old_page_of_a_session_does_not_move_it_back(client, owner, host):
    session = make_session(make_webinar(host=host), **COMING)
    page = url(Session, "change", session.pk)
    old = form_data(client.get(page))
    move(session, local_time=time(15, 0))

    response = client.post(page, old | {"label": "A typo mended"})
    again = client.post(page, form_data(response))

    for refused in (response, again):
        form = refused.context["adminform"].form
        assert list(form.errors) == ["label"]
        assert STALE in refused.content.decode()
        assert (form["label"].value(), form["local_time"].value()) == ("A typo mended", "13:30")
    session.refresh_from_db()
    assert (session.local_time, session.label, session.sequence) == (time(15, 0), "", 1)


def test_an_old_page_of_a_webinar_does_not_move_its_session_back(client, owner, host):
    webinar = make_webinar(host=host)
    session = make_session(webinar, **COMING)
    page = url(Webinar, "change", webinar.pk)
    old = form_data(client.get(page))
    move(session, local_time=time(15, 0))

    response = client.post(page, old | {"summary": "Mended.", "sessions-0-label": "Mended too"})

    content = response.content.decode()
    assert response.status_code == 200
    assert STALE in content
    assert "Mended." in content
    assert 'value="Mended too"' in content
    session.refresh_from_db()
    webinar.refresh_from_db()
    assert (session.local_time, session.label, session.sequence) == (time(15, 0), "", 1)
    assert webinar.summary != "Mended."


def test_a_session_moved_meanwhile_is_left_alone_by_whoever_only_changes_the_webinar(client, owner, host, heard):
    webinar = make_webinar(host=host)
    session = make_session(webinar, capacity=1, **COMING)
    page = url(Webinar, "change", webinar.pk)
    old = form_data(client.get(page))
    move(session, local_time=time(15, 0), capacity=2)
    make_registration(session)
    make_registration(session)

    response = client.post(page, old | {"summary": "Mended."})

    assert response.status_code == 302
    session.refresh_from_db()
    webinar.refresh_from_db()
    assert (session.local_time, session.capacity, session.sequence) == (time(15, 0), 2, 1)
    assert webinar.summary == "Mended."
    assert heard == [(session_rescheduled, session.pk)]


def test_places_that_somebody_else_added_meanwhile_stay(client, owner, host):
    session = make_session(make_webinar(host=host), capacity=40, **COMING)
    page = url(Session, "change", session.pk)
    old = form_data(client.get(page))
    move(session, capacity=80)

    response = client.post(page, old | {"label": "Suits Europe"})

    session.refresh_from_db()
    assert response.status_code == 302
    assert (session.label, session.capacity) == ("Suits Europe", 80)


def test_a_session_cancelled_meanwhile_refuses_a_change_and_ignores_none(client, owner, host):
    session = make_session(make_webinar(host=host), **COMING)
    page = url(Session, "change", session.pk)
    old = form_data(client.get(page))
    scheduling.cancel_session(session, by=None, now=NOW)

    changed = client.post(page, old | {"local_time": "15:00"})
    unchanged = client.post(page, old)

    session.refresh_from_db()
    assert STALE in changed.content.decode()
    assert unchanged.status_code == 302
    assert (session.local_time, session.is_cancelled, session.sequence) == (time(13, 30), True, 1)


def test_a_viewer_is_not_shown_what_the_form_remembers(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    session = make_session(make_webinar(host=host), **COMING)

    for page in (url(Session, "change", session.pk), url(Webinar, "change", session.webinar_id)):
        assert "field-seen" not in client.get(page).content.decode()


def sent_off():
    """As if every mail so far had gone out."""
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)


def test_a_new_title_and_a_new_time_are_told_in_one_mail(client, owner, host):
    webinar = make_webinar(host=host, title="Roads")
    moves, stays = make_session(webinar, **COMING), make_session(webinar, **{**COMING, "local_time": time(18, 0)})
    people = [make_registration(moves), make_registration(stays)]
    sent_off()
    page = url(Webinar, "change", webinar.pk)

    data = form_data(client.get(page)) | {"title": "Roads and Rivers", "sessions-0-local_time": "15:00"}
    question = client.post(page, data).content.decode()
    response = client.post(page, data | {"confirmed": ""}, follow=True)

    assert "Save and tell 2 people" in question
    assert "The title changes from “Roads” to “Roads and Rivers”." in question
    assert "Roads and Rivers moves from Wed, 14 May 2031, 13:30 London, UTC+1" in question
    assert "2 people are being told of the change." in response.content.decode()
    for person in people:
        person.refresh_from_db()
        mail = person.messages.get(kind=Message.Kind.RESCHEDULED)
        assert mail.sequence == person.sequence


@pytest.mark.parametrize("status", ["draft", "published"])
def test_a_title_tells_nobody_while_it_stays_or_nobody_can_see_it(client, owner, host, heard, status):
    webinar = make_webinar(host=host, status=status)
    session = make_session(webinar, **COMING)
    page = url(Webinar, "change", webinar.pk)
    title = webinar.title if status == "published" else "Another title"

    response = client.post(page, form_data(client.get(page)) | {"title": f" {title} "}, follow=True)

    session.refresh_from_db()
    assert (session.sequence, heard) == (0, [])
    assert "being told" not in response.content.decode()


def test_saving_without_a_change_tells_nobody(client, owner, host, heard):
    webinar = make_webinar(host=host)
    session = make_session(webinar, **COMING)
    make_question(webinar)

    response = client.post(
        url(Webinar, "change", webinar.pk), form_data(client.get(url(Webinar, "change", webinar.pk)))
    )

    session.refresh_from_db()
    assert response.status_code == 302
    assert (session.sequence, heard) == (0, [])


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"local_date": "2031-03-30", "local_time": "01:30"}, "local_time", "Clocks in London go forward"),
        ({"local_date": "2031-10-26", "local_time": "01:30"}, "occurrence", "this time comes twice"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "Mars/Olympus is not a known time zone."),
        ({"local_date": "the 14th"}, "local_date", "Enter a valid date."),
        ({"local_date": "9999-12-31", "local_time": "23:59"}, "local_date", "too far away"),
        ({"duration_minutes": "-5"}, "duration_minutes", "greater than or equal to"),
        ({"label": "x" * 10_000}, "label", "at most 120 characters (it has 10000)"),
        ({"join_url": "javascript:alert(1)"}, "join_url", "Enter a web address that begins with https:// or http://."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(client, owner, host, changed, field, words):
    session = make_session(make_webinar(host=host), **COMING)
    page = url(Session, "change", session.pk)
    typed = form_data(client.get(page)) | {"label": "Suits Europe"} | changed

    response = client.post(page, typed)

    form = response.context["adminform"].form
    assert response.status_code == 200
    assert list(form.errors) == [field]
    assert words in str(form.errors[field])
    assert {name: form[name].value() for name in changed} == changed
    session.refresh_from_db()
    assert (session.local_date, session.sequence) == (COMING["local_date"], 0)


def test_an_impossible_time_in_the_webinar_form_keeps_everything(client, owner, host):
    data = webinar_data(
        host=str(host.pk),
        title="Typed with care",
        **as_inline("sessions", 0, session_data(local_date="2031-03-30", local_time="01:30", label="Typed too")),
        **{"sessions-TOTAL_FORMS": "1"},
    )

    page = client.post(url(Webinar, "add"), data).content.decode()

    assert "Clocks in London go forward" in page
    for typed in ("Typed with care", "Typed too", "2031-03-30", "01:30"):
        assert f'value="{typed}"' in page
    assert not Webinar.objects.exists()


def test_capacity_under_the_places_taken_is_refused_with_the_number(client, owner, host):
    session = make_session(make_webinar(host=host), capacity=10, **COMING)
    make_registration(session)
    make_registration(session)

    page = url(Session, "change", session.pk)

    response = client.post(page, form_data(client.get(page)) | {"capacity": "1"})

    assert errors_of(response) == {"capacity": ["2 people hold a place already, so there must be at least that many."]}
    session.refresh_from_db()
    assert session.capacity == 10


def test_cancelling_a_session_asks_first_and_says_how_many_hear_of_it(client, owner, host, heard):
    session = make_session(make_webinar(host=host), capacity=1, **COMING)
    make_registration(session)
    make_registration(session)  # who waits hears of it too
    page = f"/admin/events/session/{session.pk}/cancel/"

    question = client.get(page)
    session.refresh_from_db()
    assert not session.is_cancelled
    answer = client.post(page, {"confirmed": "yes"}, follow=True)
    again = client.post(page, {"confirmed": "yes"}, follow=True)

    session.refresh_from_db()
    assert "2 people are told by mail" in question.content.decode()
    assert session.is_cancelled
    assert "Cancelled. 2 people are being told." in answer.content.decode()
    assert again.status_code == 200
    assert heard == [(session_cancelled, session.pk)]


def test_cancelling_many_sessions_asks_first(client, owner, host):
    sessions = [make_session(make_webinar(host=host), **COMING) for _ in range(2)]
    data = {"action": "cancel_sessions", "_selected_action": [session.pk for session in sessions]}

    question = client.post(url(Session, "changelist"), data)
    assert not Session.objects.filter(state="cancelled").exists()
    client.post(url(Session, "changelist"), data | {"confirmed": "yes"})

    assert "Cancel these sessions?" in question.content.decode()
    assert "Nobody has registered, so nobody is told." in question.content.decode()
    assert Session.objects.filter(state="cancelled").count() == 2


def test_cancelling_a_webinar_cancels_its_sessions(client, owner, host, heard):
    session = make_session(make_webinar(host=host), **COMING)
    make_registration(session)
    page = f"/admin/events/webinar/{session.webinar_id}/cancel/"

    question = client.get(page)
    client.post(page, {"confirmed": "yes"})

    session.refresh_from_db()
    assert "1 person is told by mail" in question.content.decode()
    assert (session.is_cancelled, session.webinar.status) == (True, "cancelled")
    assert heard == [(session_cancelled, session.pk)]


def test_publishing_asks_first(client, owner, host):
    webinar = make_webinar(host=host, status="draft")
    page = f"/admin/events/webinar/{webinar.pk}/publish/"

    question = client.get(page)
    webinar.refresh_from_db()
    assert webinar.status == "draft"
    client.post(page, {"confirmed": "yes"})

    webinar.refresh_from_db()
    assert "Without a session to come nobody can register yet" in question.content.decode()
    assert webinar.status == "published"


def test_the_form_cannot_cancel_a_webinar_silently(client, owner, host):
    webinar = make_webinar(host=host)

    response = client.post(url(Webinar, "change", webinar.pk), webinar_data(status="cancelled"))

    assert "status" in errors_of(response)


def test_a_webinar_with_people_does_not_become_a_draft(client, owner, host):
    session = make_session(make_webinar(host=host), **COMING)
    make_registration(session)
    page = url(Webinar, "change", session.webinar_id)

    response = client.post(page, form_data(client.get(page)) | {"status": "draft"})

    assert "Cancel the webinar instead" in str(errors_of(response)["status"])


@pytest.mark.parametrize("of", ["session", "webinar"])
def test_deleting_what_people_registered_for_says_to_cancel_it(client, owner, host, of):
    session = make_session(make_webinar(host=host), **COMING)
    make_registration(session)
    thing = session if of == "session" else session.webinar

    one = client.post(url(type(thing), "delete", thing.pk), {"post": "yes"}, follow=True)
    data = {"action": "delete_selected", "_selected_action": [thing.pk], "post": "yes"}
    many = client.post(url(type(thing), "changelist"), data, follow=True)

    for response in (one, many):
        assert "Cancel it instead" in response.content.decode()
    assert type(thing).objects.filter(pk=thing.pk).exists()


def test_a_session_that_nobody_wanted_can_be_deleted(client, owner, host):
    session = make_session(make_webinar(host=host), **COMING)

    client.post(url(Session, "delete", session.pk), {"post": "yes"})

    assert not Session.objects.exists()


# ---------- the rest of the form ----------


def test_opening_times_are_the_hosts(client, owner, host):
    host.time_zone = "Asia/Tashkent"
    host.save()
    data = webinar_data(host=str(host.pk), registration_opens_at="2031-05-01T09:00")

    client.post(url(Webinar, "add"), data)

    webinar = Webinar.objects.get()
    assert webinar.registration_opens_at == datetime(2031, 5, 1, 4, 0, tzinfo=UTC)
    page = client.get(url(Webinar, "change", webinar.pk)).content.decode()
    assert 'value="2031-05-01T09:00"' in page
    assert "In the time of Tashkent" in page


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price_amount": "12.50"}, "price_currency"),
        ({"price_amount": "12.50", "price_currency": "QQQ"}, "price_currency"),
        ({"title": "x" * 10_000}, "title"),
        ({"registration_opens_at": "2031-03-30T01:30"}, "registration_opens_at"),
        (
            {"registration_opens_at": "2031-05-02T09:00", "registration_closes_at": "2031-05-01T09:00"},
            "registration_closes_at",
        ),
        ({"slug": "Плохой адрес"}, "slug"),
        ({"replay_url": "not an address"}, "replay_url"),
    ],
)
def test_a_mistake_in_the_webinar_stands_beside_its_field(client, owner, host, changed, field):
    response = client.post(url(Webinar, "add"), webinar_data(host=str(host.pk), **changed))

    assert list(errors_of(response)) == [field]


def test_a_picture_that_is_none_is_refused_beside_the_field(client, owner, host):
    text = SimpleUploadedFile("picture.png", b"<svg onload=alert(1)>", "image/png")

    response = client.post(url(Webinar, "add"), webinar_data(host=str(host.pk), picture=text))

    assert list(errors_of(response)) == ["picture"]


def test_a_presenter_has_a_portrait(client, owner, host, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    data = {
        "host": str(host.pk),
        "name": "Дилноза Каримова",
        "slug": "dilnoza-karimova",
        "portrait": SimpleUploadedFile("portrait.png", picture.getvalue(), "image/png"),
        "affiliations-TOTAL_FORMS": "1",
        "affiliations-INITIAL_FORMS": "0",
        "affiliations-0-job_title": "Head of Unit",
        "affiliations-0-order": "0",
    }

    response = client.post(url(Presenter, "add"), data)

    assert response.status_code == 302
    presenter = Presenter.objects.get()
    assert presenter.portrait
    assert presenter.affiliations.get().job_title == "Head of Unit"


def test_the_old_name_of_a_zone_stays_chosen(client, owner, host):
    session = make_session(make_webinar(host=host), time_zone="Asia/Calcutta", **COMING)

    page = client.get(url(Session, "change", session.pk)).content.decode()

    assert '<option value="Asia/Calcutta" selected>' in page


def test_an_offer_of_one_webinar_names_it(client, owner, host):
    data = {
        "host": str(host.pk),
        "scope": "webinar",
        "headline": "50% off",
        "redemptions_per_code": "1",
        "conditions-TOTAL_FORMS": "0",
        "conditions-INITIAL_FORMS": "0",
    }

    response = client.post(url(Offer, "add"), data)

    assert errors_of(response) == {"webinar": ["Choose the webinar."]}


# ---------- lists ----------


def test_sessions_are_listed_in_their_own_zone(client, owner, host):
    make_session(make_webinar(host=host), time_zone="America/New_York", **COMING)

    page = client.get(url(Session, "changelist")).content.decode()

    assert "13:30 New York, UTC−4" in page


def test_nearly_full_sessions_are_found(client, owner, host):
    webinar = make_webinar(host=host)
    make_session(webinar, capacity=100, places_taken=90, label="nearly", **COMING)
    make_session(webinar, capacity=100, places_taken=89, label="roomy", **COMING)
    make_session(webinar, capacity=6, places_taken=1, label="small", **COMING)
    make_session(webinar, capacity=6, places_taken=6, label="full", **COMING)

    found = client.get(url(Session, "changelist"), {"places": "nearly"}).context["cl"].queryset

    assert {session.label for session in found} == {"nearly", "small"}
    assert all(session.is_nearly_full for session in found)


def fill(host, rows):
    for number in range(rows):
        webinar = make_webinar(host=host)
        make_registration(make_session(webinar, **COMING))
        make_presenter(host=host)
        make_offer(webinar)
        Series.objects.create(host=host, title=f"Series {number}", slug=f"series-{host.pk}-{number}")
        Partner.objects.create(host=host, name=f"Partner {number}")


@pytest.mark.parametrize("model", [Host, Webinar, Session, Presenter, Series, Partner, Offer])
def test_lists_take_as_many_queries_with_three_rows_as_with_one(client, model):
    counts = []
    for rows in (1, 3):
        host = make_host()
        client.force_login(make_organizer(host))
        fill(host, rows)
        client.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(model, "changelist"))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_webinar_page_takes_as_many_queries_with_three_sessions_as_with_one(client, owner, host):
    counts = []
    for rows in (1, 3):
        webinar = make_webinar(host=host, zones=("Asia/Tashkent", "Europe/London", "America/New_York")[:rows])
        for _ in range(rows):
            make_session(webinar, **COMING)
            make_question(webinar)
        client.get(url(Webinar, "change", webinar.pk))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(Webinar, "change", webinar.pk))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_a_cancelled_session_stays_as_it_was(client, owner, host):
    session = make_session(make_webinar(host=host), state="cancelled", **COMING)

    page = url(Session, "change", session.pk)

    response = client.post(page, form_data(client.get(page)) | {"local_time": "15:00"})

    session.refresh_from_db()
    assert response.status_code == 302
    assert session.local_time == time(13, 30)


def test_view_on_site_by_a_guessed_id_leads_nowhere(client, owner):
    theirs = Theirs()
    kind = ContentType.objects.get_for_model(Webinar)

    assert client.get(f"/admin/r/{kind.pk}/{theirs.webinar.pk}/").status_code == 404
