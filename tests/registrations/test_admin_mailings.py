"""Writing to many: seen before it is sent, sent once, listed afterwards with who wrote it."""

import re
import uuid
from datetime import date, time
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import scheduling
from events.models import Membership
from registrations import mailings
from registrations.models import Mailing, Message
from tests.builders import make_host, make_organizer, make_registration, make_rule, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}
WRITTEN = {"audience": "place", "subject": "Slides", "text": "Read https://example.org/slides first.\n\nBring a pen."}


@pytest.fixture
def host():
    return make_host(name="Border Review", time_zone="Europe/London")


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR, email="eda@example.org")
    client.force_login(user)
    return user


@pytest.fixture
def session(host):
    session = make_session(make_webinar(host=host, title="Border Challenges"), **COMING)
    for _each in range(2):
        make_registration(session)
    return session


def page(subject):
    return reverse(f"admin:events_{subject._meta.model_name}_announce", args=[subject.pk])


def words(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def fill_in(client, subject, /, **changed):
    """Look at what was written; returns the answer and what its page would send again."""
    blank = posted(client.get(page(subject)), id="announcement")
    seen = client.post(page(subject), blank | WRITTEN | changed)
    return seen, posted(seen, id="announcement")


def announce(session, **fields):
    mailings.announce(
        session.webinar,
        session=session,
        by=None,
        now=timezone.now(),
        draft=uuid.uuid4(),
        **{"audience": Mailing.Audience.PLACE, "text": "Read this.", **fields},
    )
    mailings.sweep(now=timezone.now())


def yes(seen):
    """What the button to send sends along."""
    [said] = re.findall(r'name="confirmed" value="(\w+)"', seen.content.decode())
    return {"confirmed": said}


def test_what_is_wrong_with_an_unseen_field_is_said(client, editor, session):
    blank = posted(client.get(page(session)), id="announcement")

    response = client.post(page(session), blank | WRITTEN | {"draft": "none"})

    assert response.status_code == 422
    assert "Something of this page was lost on the way." in words(response)


def test_an_organizer_sees_who_gets_it_and_how_it_looks_before_anything_is_sent(client, editor, session):
    seen, _again = fill_in(client, session)

    assert "2 people get this mail." in words(seen)
    [frame] = re.findall(r"<iframe [^>]*>", seen.content.decode())
    assert " sandbox " in frame
    assert "Bring a pen." in frame
    assert not Mailing.objects.exists()


def test_yes_sends_it_once_however_often_it_is_pressed(client, editor, session):
    seen, again = fill_in(client, session)

    for _click in range(2):
        response = client.post(page(session), again | yes(seen), follow=True)
    mailings.sweep(now=timezone.now())

    assert "It goes out to 2 people within a minute." in words(response)
    mails = Message.objects.filter(kind=Message.Kind.ANNOUNCEMENT)
    assert mails.count() == 2
    mailing = Mailing.objects.get()
    assert (mailing.subject, mailing.text, mailing.written_by, mailing.told) == (
        "Slides",
        "Read https://example.org/slides first.\n\nBring a pen.",
        editor,
        2,
    )


@pytest.mark.parametrize(
    "changed", [{"subject": "Correction"}, {"text": "Read this instead."}, {"audience": "waiting"}]
)
def test_whoever_goes_back_and_writes_something_else_sends_that_too_once_they_have_seen_it(
    client, editor, host, changed
):
    session = make_session(make_webinar(host=host), capacity=1, **COMING)
    for _each in range(2):
        make_registration(session)
    seen, again = fill_in(client, session)
    client.post(page(session), again | yes(seen))

    shown = client.post(page(session), again | changed | yes(seen))
    assert Mailing.objects.count() == 1
    for _click in range(2):
        client.post(page(session), again | changed | yes(shown))

    first, second = Mailing.objects.order_by("pk")
    assert (first.audience, first.subject, first.text) == tuple(WRITTEN.values())
    assert (second.audience, second.subject, second.text) == tuple((WRITTEN | changed).values())


@pytest.mark.parametrize("changed", [{"text": "Read this instead."}, {"audience": "came"}])
def test_what_is_changed_after_it_was_seen_is_shown_once_more(client, editor, session, changed):
    seen, again = fill_in(client, session)

    shown = client.post(page(session), again | changed | yes(seen))

    assert shown.status_code == 200
    assert "You have changed it: look once more. Nothing was sent." in words(shown)
    assert "You have changed it" not in words(seen)
    assert "get this mail" in words(shown)
    assert not Mailing.objects.exists()


def test_what_was_sent_is_listed_with_who_wrote_it(client, editor, session):
    seen, again = fill_in(client, session.webinar)
    listed = client.post(page(session.webinar), again | yes(seen), follow=True)

    said = words(listed)
    assert "Slides" in said
    assert "All sessions" in said
    assert "eda@example.org" in said
    detail = client.get(reverse("admin:registrations_mailing_change", args=[Mailing.objects.get().pk]))
    assert "Bring a pen." in words(detail)


def test_the_list_of_mails_and_the_page_of_one_call_it_by_its_subject(client, editor, session):
    counts = []
    for subject in ("Slides", "A map", "A pen"):
        announce(session, subject=subject)
        client.get(reverse("admin:registrations_message_changelist"))
        with CaptureQueriesContext(connection) as captured:
            listed = words(client.get(reverse("admin:registrations_message_changelist")))
        counts.append(len(captured))
    mail = Message.objects.filter(mailing__subject="Slides").earliest("pk")

    shown = client.get(reverse("admin:registrations_message_change", args=[mail.pk]))

    assert all(subject in listed for subject in ("Slides", "A map", "A pen"))
    assert len(set(counts)) == 1
    [title] = re.findall(r"<title>([^<]*)</title>", shown.content.decode())
    assert title.strip().startswith("Slides")
    assert mail.key not in words(shown)


def test_the_page_of_a_registration_calls_its_mails_by_their_subjects(client, editor, session):
    counts = []
    person = session.registrations.first()
    detail = reverse("admin:registrations_registration_change", args=[person.pk])
    for subject in ("Slides", "A map", "A pen"):
        announce(session, subject=subject)
        client.get(detail)
        with CaptureQueriesContext(connection) as captured:
            shown = words(client.get(detail))
        counts.append(len(captured))

    assert all(subject in shown for subject in ("Slides", "A map", "A pen"))
    assert len(set(counts)) == 1


def test_an_audience_in_which_nobody_is_cannot_be_sent_to(client, editor, session):
    seen, _again = fill_in(client, session, audience="waiting")

    assert "Nobody would get this mail: choose others." in words(seen)
    assert 'name="confirmed"' not in seen.content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": ""}, "This field is required."),
        ({"text": " \u202e "}, "Write something that can be read."),
        ({"subject": "\u200b\u2060"}, "Write something that can be read."),
        ({"text": "\u3164"}, "Write something that can be read."),
        ({"subject": "x" * 121}, "Ensure this value has at most 120 characters"),
        ({"audience": "everybody"}, "Select a valid choice."),
        ({"draft": "no uuid"}, "nothing"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_stays_typed(client, editor, session, changed, said):
    seen, again = fill_in(client, session, **changed)

    assert seen.status_code == 422
    assert said == "nothing" or said in words(seen)
    assert again["text"] != [""]
    assert not Mailing.objects.exists()


def test_a_subject_is_one_line(client, editor, session):
    seen, again = fill_in(client, session, subject="Slides\r\nBcc: victim@example.org")
    client.post(page(session), again | yes(seen))

    assert Mailing.objects.get().subject == "Slides Bcc: victim@example.org"


def test_a_viewer_writes_to_nobody(client, host, session):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    for answer in (client.get(page(session)), client.post(page(session), WRITTEN | {"confirmed": "yes"})):
        assert answer.status_code == 403
    assert not Mailing.objects.exists()


def test_nobody_writes_to_another_hosts_people_nor_sees_what_they_were_sent(client, editor):
    theirs = make_registration(make_session(make_webinar(title="Foreign Webinar"), **COMING)).session
    mailings.announce(
        theirs.webinar,
        session=theirs,
        audience=Mailing.Audience.PLACE,
        subject="Foreign news",
        text="Foreign text",
        by=None,
        now=timezone.now(),
        draft=uuid.uuid4(),
    )

    assert client.post(page(theirs), WRITTEN | {"confirmed": "yes"}).status_code in {302, 403, 404}
    listed = client.get(reverse("admin:registrations_mailing_changelist"))
    assert "Foreign" not in words(listed)
    detail = client.get(reverse("admin:registrations_mailing_change", args=[Mailing.objects.get().pk]))
    assert detail.status_code in {302, 403}
    assert Mailing.objects.count() == 1


def test_nothing_is_added_to_what_was_called_off(client, editor, session):
    scheduling.cancel_session(session, by=None, now=timezone.now())

    response = client.get(page(session), follow=True)

    assert "It was called off, and everybody was told: nobody to write to." in words(response)
    assert 'id="announcement"' not in response.content.decode()


def test_where_nobody_has_registered_the_page_leads_back_and_says_so(client, editor, host):
    empty = make_session(make_webinar(host=host), **COMING)

    response = client.get(page(empty), follow=True)

    assert response.redirect_chain == [(reverse("admin:events_session_change", args=[empty.pk]), 302)]
    assert "Nobody to write to." in words(response)
    assert "announce" not in response.content.decode()


@pytest.mark.parametrize("where", ["session", "webinar"])
def test_the_page_says_in_its_path_of_what_it_is(client, editor, session, where):
    subject = session if where == "session" else session.webinar
    change = reverse(f"admin:events_{where}_change", args=[subject.pk])

    content = client.get(page(subject)).content.decode()

    assert content.index(f'<a href="{change}"') < content.index('id="announcement"')


# ---------- what went to many ----------


def test_the_list_says_by_which_rule_how_many_and_what_failed(client, editor, session):
    rule = make_rule(session.webinar.host, 60)
    now = timezone.now()
    plan = {"kind": "reminder", "webinar": session.webinar, "session": session, "due_at": now, "begun_at": now}
    sent = Mailing.objects.create(key="a", rule=rule, written_at=now, told=2, **plan)
    Mailing.objects.create(key="b", rule=rule, written_at=now, **plan)
    for person, state in zip(session.registrations.all(), ("sent", "failed"), strict=True):
        Message.objects.create(
            key=f"m{person.pk}",
            kind="reminder",
            registration=person,
            mailing=sent,
            state=state,
            sent_at=now if state == "sent" else None,
            created_at=now,
            due_at=now,
        )

    said = words(client.get(reverse("admin:registrations_mailing_changelist")))
    detail = client.get(reverse("admin:registrations_mailing_change", args=[sent.pk]))
    listed = client.get(reverse("admin:registrations_message_changelist", query={"mailing": sent.pk}))

    assert "1 hour before the start" in said
    assert "1 failed" in said
    assert "Nobody: merged or skipped" in said
    assert "Told: 1 · Failed: 1" in words(detail)
    assert reverse("admin:events_session_change", args=[session.pk]) in detail.content.decode()
    assert {mail.mailing_id for mail in listed.context["cl"].result_list} == {sent.pk}
    assert len(listed.context["cl"].result_list) == 2


def test_mails_of_anothers_mailing_are_not_listed(client, editor, session):
    theirs = make_session(make_webinar(title="Foreign roads"), **COMING)
    now = timezone.now()
    mailing = Mailing.objects.create(
        key="c", kind="announcement", subject="Secret", text="x", webinar=theirs.webinar, due_at=now, begun_at=now
    )
    person = make_registration(theirs)
    person.messages.update(mailing=mailing)

    listed = client.get(reverse("admin:registrations_message_changelist", query={"mailing": mailing.pk}))

    assert list(listed.context["cl"].result_list) == []
    assert "Secret" not in words(listed)


# ---------- stopping ----------


@pytest.fixture
def announced(session, editor):
    mailing = mailings.announce(
        session.webinar,
        session=session,
        audience=Mailing.Audience.PLACE,
        subject="Slides",
        text="Read them.",
        by=editor,
        now=timezone.now(),
        draft=uuid.uuid4(),
    )
    mailings.sweep(now=timezone.now())
    return mailing


def page_of(mailing):
    return reverse("admin:registrations_mailing_change", args=[mailing.pk])


def stop_page(mailing):
    return reverse("admin:registrations_mailing_stop", args=[mailing.pk])


def test_an_editor_is_asked_and_stops_an_announcement_and_the_history_says_so(client, announced, editor):
    announced.messages.filter(pk=announced.messages.first().pk).update(state="sent", sent_at=timezone.now())
    assert stop_page(announced) in client.get(page_of(announced)).content.decode()

    asked = client.get(stop_page(announced))
    announced.refresh_from_db()
    assert announced.stopped_at is None
    done = client.post(stop_page(announced), {"confirmed": "yes"}, follow=True)

    assert "1 person has been sent it." in words(asked)
    assert "It is stopped. 1 mail that was written is not sent." in words(done)
    assert "Slides (stopped)" in words(done)
    assert stop_page(announced) not in done.content.decode()
    assert sorted(announced.messages.values_list("state", flat=True)) == ["cancelled", "sent"]
    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (editor, str(announced.pk), "Stopped.")


def test_stopping_twice_says_that_it_is_over(client, announced):
    for _click in range(2):
        done = client.post(stop_page(announced), {"confirmed": "yes"}, follow=True)

    assert "It is over: nothing of it is on its way." in words(done)
    assert LogEntry.objects.count() == 1


def test_nobody_stops_what_they_may_not_change(client, host, announced):
    for user in (make_organizer(host, role=Membership.Role.VIEWER), make_organizer()):
        client.force_login(user)
        assert client.post(stop_page(announced), {"confirmed": "yes"}).status_code in {302, 403, 404}
        assert stop_page(announced) not in client.get(page_of(announced), follow=True).content.decode()

    announced.refresh_from_db()
    assert announced.stopped_at is None
    assert set(announced.messages.values_list("state", flat=True)) == {"queued"}


def test_the_newest_mails_to_many_are_found_by_an_index():
    """Its list begins with them, however many there are."""
    [newest] = [index for index in Mailing._meta.indexes if index.name == "mailing_newest"]

    assert newest.fields == ["-begun_at", "-id"]
    assert Mailing._meta.ordering == ["-begun_at", "-pk"]
    assert newest.condition is None
