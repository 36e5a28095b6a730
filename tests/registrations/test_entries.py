"""The entry in somebody's calendar from the first invite to the last withdrawal, in a calendar that obeys the RFC."""

import email
import email.policy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject

from events import scheduling
from events.models import Session, Webinar
from registrations import emails, invites, signup
from registrations.models import Message, Registration
from registrations.pointless import PointlessError
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(autouse=True)
def same_links_everywhere(settings):
    settings.SITE_URL = "https://webinars.example.org"
    settings.SECRET_KEY = "for tests alone, and the same in all of them"
    settings.DEFAULT_FROM_EMAIL = "Webinars <webinars@webinars.example.org>"


@dataclass
class Calendar:
    """Takes mails one after the other, as RFC 5546 2.1.5 says: by UID, then SEQUENCE, then DTSTAMP."""

    entries: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    mails: int = 0

    def take(self, mail) -> None:
        self.mails += 1
        message = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
        for part in message.walk():
            if part.get_content_type() == "text/calendar":
                self._apply(vobject.readOne(bytes(part.get_payload(decode=True)).decode()))

    def _apply(self, calendar) -> None:
        event = calendar.vevent
        revision = (int(event.sequence.value), event.dtstamp.value)
        known = self.entries.get(event.uid.value)
        assert known is None or revision >= known[0], "An older revision came after a newer one."
        status = "CANCELLED" if calendar.method.value == "CANCEL" else event.status.value
        self.entries[event.uid.value] = (revision, status, event.dtstart.value, event.dtend.value)

    @property
    def shows(self) -> list[tuple[str, datetime, datetime]]:
        """Status, start and end of what it shows."""
        return [(status, *times) for _revision, status, *times in self.entries.values() if status != "CANCELLED"]

    @property
    def sequences(self) -> list[int]:
        return [revision[0] for revision, *_rest in self.entries.values()]


def deliver(calendar: Calendar, registration: Registration, *, now: datetime = NOW) -> None:
    """What a worker does until nothing is due: one message after the other, in their order."""
    waiting = registration.messages.filter(state__in=["queued", "retrying"], due_at__lte=now).order_by("pk")
    for pk in list(waiting.values_list("pk", flat=True)):
        message = Message.objects.select_related("registration__session__webinar__host").get(pk=pk)
        try:
            calendar.take(emails.compose(message, now=now))
        except PointlessError:
            Message.objects.filter(pk=pk).update(state="cancelled")
        else:
            Message.objects.filter(pk=pk).update(state="sent", sent_at=now)


def move(session: Session, *, now: datetime = NOW, **fields) -> None:
    fresh = Session.objects.get(pk=session.pk)
    for name, value in fields.items():
        setattr(fresh, name, value)
    scheduling.save_session(fresh, by=None, now=now)


def at(hour: int, minute: int = 0, day: int = 14) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


# ---------- one entry for life ----------


def test_the_same_entry_moves_moves_again_changes_session_goes_and_comes_back():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_date=date(2026, 10, 15))
    registration = make_registration(first)
    calendar = Calendar()

    deliver(calendar, registration)
    assert calendar.shows == [("CONFIRMED", at(12, 30), at(14))]

    move(first, local_time=time(15, 0))
    deliver(calendar, registration, now=NOW + timedelta(minutes=5))
    assert calendar.shows == [("CONFIRMED", at(14), at(15, 30))]

    move(first, local_time=time(16, 0), duration_minutes=30, now=NOW + timedelta(hours=1))
    deliver(calendar, registration, now=NOW + timedelta(hours=2))
    assert calendar.shows == [("CONFIRMED", at(15), at(15, 30))]

    signup.change_session(registration, session=second, now=NOW + timedelta(hours=3))
    deliver(calendar, registration, now=NOW + timedelta(hours=3))
    assert calendar.shows == [("CONFIRMED", at(12, 30, day=15), at(14, day=15))]

    signup.cancel(registration, now=NOW + timedelta(hours=4))
    deliver(calendar, registration, now=NOW + timedelta(hours=4))
    assert calendar.shows == []

    make_registration(first, email=registration.email, now=NOW + timedelta(hours=5))
    deliver(calendar, registration, now=NOW + timedelta(hours=5))
    assert calendar.shows == [("CONFIRMED", at(15), at(15, 30))]

    scheduling.cancel_session(first, by=None, now=NOW + timedelta(hours=6))
    deliver(calendar, registration, now=NOW + timedelta(hours=6))
    assert calendar.shows == []
    assert calendar.sequences == [6]
    assert len(calendar.entries) == 1


def test_a_session_that_is_called_off_and_changed_for_another_comes_back_into_the_calendar():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_date=date(2026, 10, 15))
    registration = make_registration(first)
    calendar = Calendar()
    deliver(calendar, registration)
    scheduling.cancel_session(first, by=None, now=NOW)
    deliver(calendar, registration)

    registration.refresh_from_db()
    assert (registration.entry, calendar.shows) == ("cancelled", [])
    signup.change_session(registration, session=second, now=NOW)
    deliver(calendar, registration)

    registration.refresh_from_db()
    assert registration.entry == "confirmed"
    assert calendar.shows == [("CONFIRMED", at(12, 30, day=15), at(14, day=15))]


# ---------- changes settle ----------


def test_three_edits_in_five_minutes_are_one_update_with_the_last_of_them():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)

    for minutes, hour in enumerate((15, 16, 17)):
        move(session, local_time=time(hour, 0), now=NOW + timedelta(minutes=minutes))
        deliver(calendar, registration, now=NOW + timedelta(minutes=minutes))
    deliver(calendar, registration, now=NOW + timedelta(minutes=5))

    assert calendar.mails == 2
    assert calendar.shows == [("CONFIRMED", at(16), at(17, 30))]
    assert calendar.sequences == [3]
    text = compose_text(registration, "rescheduled")
    assert "13:30 to 15:00" in text
    assert "17:00 to 18:30" in text
    assert "16:00" not in text


def compose_text(registration: Registration, kind: str) -> str:
    message = registration.messages.select_related("registration__session__webinar__host").get(kind=kind)
    return " ".join(str(emails.compose(message, now=NOW).message.body).split())


def test_a_change_that_is_taken_back_before_it_was_told_is_told_to_nobody():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)

    move(session, local_time=time(15, 0))
    move(session, local_time=time(13, 30), now=NOW + timedelta(minutes=2))
    deliver(calendar, registration, now=NOW + timedelta(minutes=5))

    assert calendar.mails == 1
    assert registration.messages.get(kind="rescheduled").state == "cancelled"


def test_a_new_title_is_told_though_the_time_was_moved_there_and_back_meanwhile():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)

    move(session, local_time=time(15, 0))
    Webinar.objects.update(title="Another title")
    scheduling.announce_new_title(Webinar.objects.get(), before=session.webinar.title, by=None, now=NOW)
    move(session, local_time=time(13, 30), now=NOW + timedelta(minutes=2))
    deliver(calendar, registration, now=NOW + timedelta(minutes=5))

    assert calendar.mails == 2
    assert calendar.shows == [("CONFIRMED", at(12, 30), at(14))]


def test_shortly_before_the_start_a_move_is_told_at_once():
    session = make_session()
    registration = make_registration(session)
    just_before = session.starts_at - timedelta(minutes=90)
    deliver(Calendar(), registration)

    move(session, local_time=time(14, 0), now=just_before)

    assert registration.messages.get(kind="rescheduled").due_at == just_before


def test_what_its_owner_does_meanwhile_is_told_at_once_and_tells_both():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_date=date(2026, 10, 15))
    registration = make_registration(first)
    calendar = Calendar()
    deliver(calendar, registration)

    move(first, local_time=time(15, 0))
    signup.change_session(registration, session=second, now=NOW + timedelta(minutes=1))
    deliver(calendar, registration, now=NOW + timedelta(minutes=1))
    deliver(calendar, registration, now=NOW + timedelta(minutes=9))

    assert calendar.mails == 2
    assert calendar.shows == [("CONFIRMED", at(12, 30, day=15), at(14, day=15))]


def test_nobody_waits_for_a_link_behind_a_change_that_settles():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)
    later = NOW + timedelta(minutes=20)
    move(session, local_time=time(15, 0), now=later)

    make_registration(session, email=registration.email, now=later + timedelta(minutes=1))
    deliver(calendar, registration, now=later + timedelta(minutes=1))

    kinds = list(registration.messages.filter(state="sent").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["confirmed", "rescheduled", "link_again"]


def test_whoever_asks_for_the_link_after_a_change_that_was_taken_back_gets_it():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)
    later = NOW + timedelta(minutes=20)
    move(session, local_time=time(15, 0), now=later)
    move(session, local_time=time(13, 30), now=later)

    make_registration(session, email=registration.email, now=later + timedelta(minutes=1))
    deliver(calendar, registration, now=later + timedelta(minutes=1))

    kinds = list(registration.messages.filter(state="sent").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["confirmed", "link_again"]


def test_a_title_that_is_taken_back_is_told_to_nobody():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)
    title = session.webinar.title

    for before, after in ((title, "A slip"), ("A slip", title)):
        Webinar.objects.update(title=after)
        scheduling.announce_new_title(Webinar.objects.get(), before=before, by=None, now=NOW)
    deliver(calendar, registration, now=NOW + timedelta(minutes=5))

    assert calendar.mails == 1


def test_a_change_that_may_have_arrived_is_never_taken_for_one_that_nobody_heard_of():
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)
    move(session, local_time=time(15, 0))
    # It arrived, and the connection broke before the server could say so.
    update = registration.messages.get(kind="rescheduled")
    calendar.take(emails.compose(loaded(update), now=NOW))
    Message.objects.filter(pk=update.pk).update(attempts=1)

    move(session, local_time=time(13, 30), now=NOW + timedelta(minutes=1))
    Message.objects.filter(pk=update.pk).update(attempts=2)
    deliver(calendar, registration, now=NOW + timedelta(minutes=9))

    assert calendar.shows == [("CONFIRMED", at(12, 30), at(14))]


def loaded(message: Message) -> Message:
    return Message.objects.select_related("registration__session__webinar__host").get(pk=message.pk)


@pytest.mark.parametrize("state", ["failed", "retrying"])
def test_a_slip_and_its_mend_after_news_that_never_arrived_still_tell_that_news(state):
    session = make_session()
    registration = make_registration(session)
    calendar = Calendar()
    deliver(calendar, registration)
    move(session, local_time=time(15, 0))
    first = registration.messages.get(kind="rescheduled")
    Message.objects.filter(pk=first.pk).update(state="sending")
    move(session, local_time=time(16, 0), now=NOW + timedelta(minutes=1))
    # The first is refused, for good or for now, while the second waits.
    Message.objects.filter(pk=first.pk).update(state=state, attempts=1)

    move(session, local_time=time(15, 0), now=NOW + timedelta(minutes=2))
    deliver(calendar, registration, now=NOW + timedelta(minutes=9))

    assert calendar.shows == [("CONFIRMED", at(14), at(15, 30))]


def test_a_place_that_lapsed_leaves_no_entry_though_its_session_was_called_off_before_the_mail_went_out():
    webinar = make_webinar(host=make_host(has_tentative_entries=True), offer_hours=24)
    session = make_session(webinar, capacity=1)
    first, waiting = make_registration(session), make_registration(session)
    signup.cancel(first, now=NOW)
    calendar = Calendar()
    deliver(calendar, waiting)

    signup.lapse_overdue(now=NOW + timedelta(hours=24))
    scheduling.cancel_session(session, by=None, now=NOW + timedelta(hours=25))
    deliver(calendar, waiting, now=NOW + timedelta(hours=25))

    assert calendar.shows == []


def test_each_session_that_is_called_off_can_be_though_somebody_has_had_no_entry_since():
    webinar = make_webinar()
    sessions = [make_session(webinar, local_date=date(2026, 10, day)) for day in (14, 15, 16)]
    registration = make_registration(sessions[0])
    signup.cancel(registration, now=NOW)
    Webinar.objects.update(needs_approval=True)
    make_registration(sessions[0], email=registration.email, now=NOW + timedelta(minutes=1))

    scheduling.cancel_session(sessions[0], by=None, now=NOW + timedelta(minutes=2))
    signup.change_session(registration, session=sessions[1], now=NOW + timedelta(minutes=3))
    scheduling.cancel_session(sessions[1], by=None, now=NOW + timedelta(minutes=4))

    assert registration.messages.filter(kind="session_cancelled").count() == 2


# ---------- tentative ----------


def test_without_the_hosts_wish_whoever_waits_has_no_entry():
    session = make_session(capacity=1)
    make_registration(session)
    waiting = make_registration(session)
    calendar = Calendar()

    deliver(calendar, waiting)

    assert (calendar.mails, calendar.entries) == (1, {})
    assert (waiting.entry, waiting.dtstamp) == ("", None)


def test_a_tentative_entry_becomes_certain_with_the_place():
    session = make_session(make_webinar(host=make_host(has_tentative_entries=True)), capacity=1)
    first, waiting = make_registration(session), make_registration(session)
    calendar = Calendar()

    deliver(calendar, waiting)
    assert calendar.shows == [("TENTATIVE", at(12, 30), at(14))]
    move(session, local_time=time(15, 0))
    deliver(calendar, waiting, now=NOW + timedelta(minutes=5))
    assert calendar.shows == [("TENTATIVE", at(14), at(15, 30))]
    signup.cancel(first, now=NOW + timedelta(hours=1))
    deliver(calendar, waiting, now=NOW + timedelta(hours=1))

    assert calendar.shows == [("CONFIRMED", at(14), at(15, 30))]
    assert len(calendar.entries) == 1


def test_a_tentative_entry_goes_with_an_offer_that_nobody_took():
    webinar = make_webinar(host=make_host(has_tentative_entries=True), offer_hours=24)
    session = make_session(webinar, capacity=1)
    first, waiting = make_registration(session), make_registration(session)
    calendar = Calendar()
    deliver(calendar, waiting)

    signup.cancel(first, now=NOW)
    deliver(calendar, waiting)
    assert [status for status, *_times in calendar.shows] == ["TENTATIVE"]
    signup.lapse_overdue(now=NOW + timedelta(hours=24))
    deliver(calendar, waiting, now=NOW + timedelta(hours=24))

    assert calendar.shows == []


def test_a_place_that_is_to_be_paid_is_tentative_until_it_is():
    webinar = make_webinar(host=make_host(has_tentative_entries=True), price_amount=20, price_currency="EUR")
    registration = make_registration(make_session(webinar))
    calendar = Calendar()
    deliver(calendar, registration)
    assert [status for status, *_times in calendar.shows] == ["TENTATIVE"]

    signup.mark_paid(registration, by=None, now=NOW)
    deliver(calendar, registration)

    assert [status for status, *_times in calendar.shows] == ["CONFIRMED"]


def test_whoever_waits_for_any_session_has_no_entry_before_one_is_offered():
    webinar = make_webinar(host=make_host(has_tentative_entries=True), offer_hours=24)
    session = make_session(webinar, capacity=1)
    first = make_registration(session)
    waiting = make_registration(session, any_session=True)
    calendar = Calendar()
    deliver(calendar, waiting)
    assert calendar.shows == []

    signup.cancel(first, now=NOW)
    deliver(calendar, waiting)
    assert [status for status, *_times in calendar.shows] == ["TENTATIVE"]

    scheduling.cancel_session(session, by=None, now=NOW)
    deliver(calendar, waiting)
    assert calendar.shows == []


def test_a_host_who_wants_no_tentative_entries_any_more_has_them_withdrawn_with_the_next_change():
    host = make_host(has_tentative_entries=True)
    session = make_session(make_webinar(host=host), capacity=1)
    make_registration(session)
    waiting = make_registration(session)
    calendar = Calendar()
    deliver(calendar, waiting)
    assert [status for status, *_times in calendar.shows] == ["TENTATIVE"]

    host.has_tentative_entries = False
    host.save()
    move(session, local_time=time(15, 0))
    deliver(calendar, waiting, now=NOW + timedelta(minutes=5))

    assert calendar.shows == []
    waiting.refresh_from_db()
    assert waiting.entry == "cancelled"


def test_a_waiting_person_whose_session_is_called_off_loses_the_tentative_entry():
    session = make_session(make_webinar(host=make_host(has_tentative_entries=True)), capacity=1)
    make_registration(session)
    waiting = make_registration(session)
    calendar = Calendar()
    deliver(calendar, waiting)

    scheduling.cancel_session(session, by=None, now=NOW)
    deliver(calendar, waiting)

    waiting.refresh_from_db()
    assert (calendar.shows, waiting.entry) == ([], "cancelled")


# ---------- the bytes ----------


def anna() -> Registration:
    """Anna in Tashkent, whose host in London speaks of a session that is planned in New York."""
    host = make_host(name="Border Security Report", sender_email="events@border.example", time_zone="Europe/London")
    webinar = make_webinar(
        host=host, title="Borders, roads; and “guards”", slug="borders", summary="What works,\nand what does not."
    )
    session = make_session(webinar, local_date=date(2026, 10, 28), local_time=time(8, 30), time_zone="America/New_York")
    registration = make_registration(session, name="Анна Каримова", email="anna@example.net", time_zone="Asia/Tashkent")
    Registration.objects.filter(pk=registration.pk).update(
        reference="ANNA23456789", uid="reg-anna@webinars.example.org"
    )
    registration.messages.update(key="confirmed-ANNA23456789-0")
    return Registration.objects.select_related("session__webinar__host").get(pk=registration.pk)


def test_the_request_is_this_file():
    assert invites.request(anna()) == (GOLDEN / "request.ics").read_bytes()


def test_the_tentative_request_is_this_file():
    registration = anna()
    registration.entry = Registration.Entry.TENTATIVE

    assert invites.request(registration) == (GOLDEN / "request_tentative.ics").read_bytes()


def test_the_withdrawal_is_this_file():
    registration = anna()
    signup.cancel(registration, now=NOW + timedelta(days=1))
    cancelled = Registration.objects.select_related("session__webinar__host").get(pk=registration.pk)

    assert invites.cancel(cancelled) == (GOLDEN / "cancel.ics").read_bytes()


def test_the_whole_mail_is_this_file():
    registration = anna()
    message = registration.messages.select_related("registration__session__webinar__host").get()
    raw = emails.compose(message, now=NOW).as_bytes()

    # Boundaries are random, as they have to be.
    boundaries = [str(part.get_boundary()) for part in email.message_from_bytes(raw).walk() if part.is_multipart()]
    for number, boundary in enumerate(boundaries, start=1):
        raw = raw.replace(boundary.encode(), b"=boundary-%d=" % number)

    assert raw == (GOLDEN / "confirmed.eml").read_bytes()
