"""What stops mails: an address that takes none, and their reader's own word."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.urls import reverse

from events import scheduling
from events.models import Session, Webinar
from registrations import correspondence, delivery, erasure, exports, outbox, signup, stops, tokens, transport
from registrations.models import BouncedAddress, Message, Registration, Unsubscription
from tests.builders import NOW, make_host, make_organizer, make_registration, make_session, make_webinar
from tests.registrations.test_accounts import mailed_code

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=3)


def coming(webinar: Webinar | None = None) -> Session:
    """A session in a month, by the clock of whoever runs the tests: delivery looks at no other."""
    return make_session(webinar, local_date=(datetime.now(UTC) + timedelta(days=30)).date())


def sent_mail(**fields) -> Message:
    """The first mail to somebody, which the server took."""
    message = make_registration(fields.pop("session", None) or coming(), **fields).messages.get()
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=NOW, message_id=f"<{message.pk}@x>")
    return Message.objects.select_related("registration__webinar").get(pk=message.pk)


def reader(message: Message) -> Registration:
    assert message.registration is not None
    return message.registration


def came_back(message: Message, *, is_hard: bool = True, now: datetime = LATER) -> None:
    stops.came_back([message], reason="5.1.1 User unknown", is_hard=is_hard, now=now)


@pytest.fixture
def _optional(monkeypatch) -> None:
    """One of the kinds that there are is one that nobody needs for a place."""
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.LINK_AGAIN}))


@pytest.fixture
def _as_files(settings, tmp_path) -> None:
    settings.EMAIL_URL, settings.MAILBOX_DIR = "", tmp_path


def outcome(registration: Registration, kind: str) -> tuple[str, str]:
    """What became of the newest mail of that kind, once all that is due is sent."""
    Message.objects.open().update(due_at=datetime.now(UTC) - timedelta(seconds=1))
    delivery.drain()
    message = registration.messages.filter(kind=kind).latest("pk")
    return message.state, message.answer


# ---------- what says that an address takes no mail ----------


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_what_is_wrong_with_the_address_is_wrong_for_good(status):
    assert stops.is_for_good(status)


@pytest.mark.parametrize(
    "status",
    ["", "2.0.0", "4.1.1", "4.4.7", "5.0.0", "5.1.0", "5.1.9", "5.2.0", "5.2.2", "5.2.3", "5.2.4", "5.3.4", "5.6.1"],
)
def test_what_passes_or_may_be_about_the_mail_stops_nothing(status):
    assert not stops.is_for_good(status)


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.0 <us@ours.example>: Sender address rejected: User unknown in virtual mailbox table",
        "553 5.1.7 <us@ours.example>: Sender address rejected: undeliverable address",
        "550 5.1.8 <us@ours.example>: Sender address rejected: Domain not found",
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        "554 5.4.4 Unable to route",
        "550 5.4.7 Delivery expired (message too old)",
        "550 5.4.316 Message expired, connection refused(Socket error code 10061)",
        "501 5.5.4 Invalid arguments",
        "554 5.5.1 Error: no valid recipients",
        "552 5.5.2 line too long",
        "550 5.7.1 Relaying denied",
        "550 5.7.26 This mail is unauthenticated",
        "550 No such user here",
    ],
)
def test_what_may_be_our_own_fault_silences_nobody(answer):
    assert not stops.is_for_good(stops.status_in(answer))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("550 5.1.1 <anna@example.org>: User unknown", "5.1.1"),
        ("550-5.1.1 The account does not exist. 192.0.2.1 550 5.2.1", "5.1.1"),
        ("550 No such user at 5.10.20.30", ""),
        ("250 2.1.5 OK", "2.1.5"),
        ("550 5.0.0 See what the other server said: 550 5.1.1 User unknown", "5.1.1"),
        ("550 5.0.0 User unknown", ""),
    ],
)
def test_the_status_is_found_in_what_a_server_said(said, status):
    assert stops.status_in(said) == status


# ---------- an address that takes none ----------


@pytest.mark.usefixtures("_as_files")
def test_nothing_more_goes_to_an_address_that_takes_no_mail_not_even_from_another_host():
    message = sent_mail(email="anna@example.org", now=NOW)
    other = make_registration(coming(make_webinar(host=make_host())), email="Anna@example.org", now=NOW)
    came_back(message)

    assert outcome(other, "confirmed") == ("cancelled", stops.ADDRESS_FAILS)


@pytest.mark.usefixtures("_as_files")
def test_a_mail_that_came_back_for_now_stops_nothing():
    registration = reader(sent_mail())
    came_back(registration.messages.get(), is_hard=False)

    signup.cancel(registration, now=LATER)

    assert outcome(registration, "cancelled")[0] == "sent"


@pytest.mark.usefixtures("_as_files")
def test_an_entry_is_not_withdrawn_by_a_mail_that_would_come_back():
    registration = reader(sent_mail())
    came_back(registration.messages.get())

    signup.cancel(registration, now=LATER)

    assert outcome(registration, "cancelled") == ("cancelled", stops.ADDRESS_FAILS)


@pytest.mark.usefixtures("_as_files")
def test_whoever_registers_later_is_believed_to_know_their_address():
    came_back(sent_mail(email="anna@example.org"))

    registration = make_registration(coming(), email="anna@example.org", now=LATER + timedelta(seconds=1))

    assert outcome(registration, "confirmed")[0] == "sent"


@pytest.mark.usefixtures("_as_files")
@pytest.mark.parametrize("after", [timedelta(minutes=1), timedelta(hours=1)])
def test_whoever_registers_again_gets_the_mail_that_the_page_promised(after):
    registration = reader(sent_mail(email="anna@example.org"))
    came_back(registration.messages.get())

    again = make_registration(registration.session, email="anna@example.org", now=LATER + after)

    assert again == registration
    assert outcome(registration, "link_again")[0] == "sent"
    assert stops.failing_address(registration) is None


@pytest.mark.usefixtures("_as_files")
def test_registering_elsewhere_says_for_earlier_registrations_too_that_the_address_works():
    registration, another = reader(sent_mail(email="anna@example.org")), coming()
    came_back(registration.messages.get())
    assert stops.failing_address(registration) is not None

    later = make_registration(another, email="anna@example.org", now=LATER + timedelta(seconds=1))
    signup.cancel(registration, now=LATER)

    assert outcome(registration, "cancelled")[0] == "sent"
    came_back(later.messages.get(), now=LATER + timedelta(minutes=1))
    assert list(stops.failing(Registration.objects.order_by("pk"))) == [registration, later]


@pytest.mark.usefixtures("_as_files")
def test_sign_in_codes_still_go_out_and_using_one_shows_that_mail_arrives(client, settings, tmp_path):
    registration = reader(sent_mail(email="anna@example.org"))
    came_back(registration.messages.get())

    client.post(reverse("account_request_login_code"), {"email": "anna@example.org"})
    client.post(reverse("account_confirm_login_code"), {"code": mailed_code()})

    assert stops.failing_address(registration) is None


@pytest.mark.usefixtures("_as_files")
def test_proving_the_address_shows_that_mail_arrives():
    registration = make_registration(coming(make_webinar(needs_proof=True)))
    came_back(registration.messages.get())

    signup.prove(registration, now=LATER)

    assert not BouncedAddress.objects.exists()
    assert outcome(registration, "confirmed")[0] == "sent"


def test_a_second_return_of_the_same_mail_does_not_undo_a_correction():
    message = sent_mail()
    came_back(message)
    assert stops.lift(reader(message).email)

    came_back(message)

    assert stops.failing_address(reader(message)) is None


@pytest.mark.parametrize(
    ("first", "second", "is_noted"),
    [
        ("4.2.2 Mailbox full", "5.1.1 User unknown", True),
        ("User unknown", "5.1.1 User unknown", True),
        ("5.1.1 User unknown", "5.1.1 smtp; 550 5.1.1 User unknown", False),
        ("User unknown", "User unknown", False),
    ],
)
def test_what_is_said_for_good_only_after_something_else_counts_as_said_first(first, second, is_noted):
    message = sent_mail()
    stops.came_back([message], reason=first, is_hard=False, now=NOW)

    assert stops.came_back([message], reason=second, is_hard=True, now=LATER) is is_noted
    assert not stops.came_back([message], reason=second, is_hard=True, now=LATER + timedelta(hours=1))

    message.refresh_from_db()
    known = stops.failing_address(reader(message))
    assert (known and known.noted_at) == (LATER if is_noted else None)
    assert (message.bounced_at, message.bounce) == (NOW, second if is_noted else first)


def test_a_refusal_that_names_the_address_stops_what_follows(settings, smtp_sink):
    settings.EMAIL_URL = smtp_sink.url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    known = make_registration(coming(), now=datetime.now(UTC) - timedelta(seconds=1))
    smtp_sink.refuse("RCPT", "550 5.1.1 User unknown", times=1)

    delivery.drain()
    signup.cancel(known, now=datetime.now(UTC) - timedelta(seconds=1))

    assert known.messages.get(kind="confirmed").state == "failed"
    assert outcome(known, "cancelled") == ("cancelled", stops.ADDRESS_FAILS)


@pytest.mark.usefixtures("_as_files")
def test_a_fault_in_our_own_name_silences_nobody_once_it_is_mended(monkeypatch):
    session, now = coming(), datetime.now(UTC) - timedelta(seconds=1)
    people = [make_registration(session, now=now) for _ in range(3)]

    def refuse(*_args, **_more) -> str:
        raise transport.RefusedForGoodError("550 5.1.8 <us@ours.example>: Sender address rejected: Domain not found")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(transport.FolderTransport, "send", refuse)
        delivery.drain()
    scheduling.cancel_session(session, by=None, now=now)

    assert [outcome(person, "session_cancelled")[0] for person in people] == ["sent"] * 3


# ---------- corrected ----------


def own_page(registration: Registration, page: str = "registration") -> str:
    return reverse(page, args=[tokens.manage_token(registration)])


def test_its_owner_reads_that_mails_come_back_and_why_and_says_that_the_address_works(client):
    registration = reader(sent_mail(email="anna@example.org"))
    came_back(registration.messages.get())

    before = client.get(own_page(registration)).content.decode()
    after = client.post(own_page(registration, "registration_address"), follow=True).content.decode()

    assert "Our mails to you come back" in before
    assert "5.1.1 User unknown" in before
    assert "Send again" not in before
    assert "A mail is on its way to you" in after
    assert "Our mails to you come back" not in after
    assert list(registration.messages.open().values_list("kind", flat=True)) == ["confirmed"]


@pytest.mark.usefixtures("_as_files")
def test_the_mail_that_tries_the_address_brings_the_entry():
    registration = reader(sent_mail())
    came_back(registration.messages.get())

    assert correspondence.address_works(registration, now=LATER)
    assert not correspondence.address_works(registration, now=LATER)

    assert outcome(registration, "confirmed")[0] == "sent"


def test_a_link_alone_corrects_nothing(client):
    registration = reader(sent_mail())
    came_back(registration.messages.get())

    client.get(own_page(registration, "registration_address"))

    assert stops.failing_address(registration) is not None


@pytest.mark.parametrize(("role", "is_done"), [("editor", True), ("viewer", False)])
def test_an_organizer_who_may_edit_says_that_the_address_works(client, role, is_done):
    registration = reader(sent_mail())
    came_back(registration.messages.get())
    client.force_login(make_organizer(registration.webinar.host, role=role))
    page = reverse("admin:registrations_registration_change", args=[registration.pk])
    deed = reverse("admin:registrations_registration_address_works_one", args=[registration.pk])

    content = client.get(page).content.decode()
    assert "5.1.1 User unknown" in content
    assert "let them register again with the right address, and cancel this one" in content
    client.post(deed, {"confirmed": "yes"})

    assert (stops.failing_address(registration) is None) == is_done


# ---------- their own word ----------


@pytest.mark.usefixtures("_as_files", "_optional")
def test_what_nobody_needs_is_not_sent_to_whoever_has_unsubscribed():
    registration = reader(sent_mail())
    stops.unsubscribe(registration, how=stops.How.PAGE, now=LATER)

    outbox.enqueue_beside(registration, Message.Kind.LINK_AGAIN, now=LATER)

    assert outcome(registration, "link_again") == ("cancelled", stops.UNWANTED)


@pytest.mark.usefixtures("_as_files", "_optional")
def test_updates_of_the_entry_reach_whoever_has_unsubscribed():
    session = coming()
    registration = make_registration(session)
    outcome(registration, "confirmed")
    stops.unsubscribe(registration, how=stops.How.ONE_CLICK, now=LATER)
    session.refresh_from_db()
    session.local_time = time(16, 0)

    scheduling.save_session(session, by=None, now=LATER)

    assert outcome(registration, "rescheduled")[0] == "sent"


@pytest.mark.usefixtures("_as_files", "_optional")
def test_another_host_goes_on():
    stops.unsubscribe(reader(sent_mail(email="anna@example.org")), how=stops.How.PAGE, now=LATER)
    other = make_registration(coming(), email="anna@example.org")

    outbox.enqueue_beside(other, Message.Kind.LINK_AGAIN, now=NOW)

    assert outcome(other, "link_again")[0] == "sent"


def test_unsubscribing_is_noted_once_and_can_be_taken_back():
    registration = reader(sent_mail())

    said = [stops.unsubscribe(registration, how=how, now=LATER) for how in (stops.How.PAGE, stops.How.COMPLAINT)]
    assert said == [True, False]
    noted = stops.unsubscription_of(registration)
    assert noted is not None
    assert noted.how == "page"

    assert [stops.resubscribe(registration) for _ in range(2)] == [True, False]
    assert stops.unsubscription_of(registration) is None


def test_of_many_those_are_written_to_who_want_it_and_whom_mail_reaches():
    session = make_session()
    willing, gone, unwilling = (make_registration(session, now=NOW) for _ in range(3))
    came_back(gone.messages.get())
    stops.unsubscribe(unwilling, how=stops.How.PAGE, now=LATER)

    assert list(stops.willing(Registration.objects.filter(session=session))) == [willing]


# ---------- erasing ----------


def test_with_the_last_registration_what_is_known_of_the_address_is_forgotten():
    registration = reader(sent_mail())
    came_back(registration.messages.get())
    stops.unsubscribe(registration, how=stops.How.PAGE, now=LATER)

    erasure.erase(registration, now=LATER)

    assert not BouncedAddress.objects.exists()
    assert not Unsubscription.objects.exists()


def test_nothing_is_noted_of_whoever_was_erased_since_their_mail_was_read():
    message = sent_mail(email="anna@example.org")
    erasure.erase(Registration.objects.get(), now=LATER)

    stops.note_address(message, reason="550 5.1.1 <anna@example.org>: User unknown", now=LATER)
    assert not stops.unsubscribe(reader(message), how=stops.How.COMPLAINT, now=LATER)
    assert not stops.came_back([message], reason="550 5.1.1 <anna@example.org>", is_hard=True, now=LATER)

    message.refresh_from_db()
    assert (message.bounced_at, message.bounce) == (None, "")
    assert not BouncedAddress.objects.exists()
    assert not Unsubscription.objects.exists()


@pytest.mark.usefixtures("_as_files")
def test_a_refusal_that_is_heard_after_erasing_leaves_no_address(monkeypatch):
    registration = make_registration(coming(), now=datetime.now(UTC) - timedelta(seconds=1))

    def refuse(_way_out, _mail, *, before_data, **_more) -> str:
        before_data()
        erasure.erase(registration, now=datetime.now(UTC))
        raise transport.RefusedForGoodError(f"550 5.1.1 <{registration.email}>: User unknown")

    monkeypatch.setattr(transport.FolderTransport, "send", refuse)

    delivery.drain()

    assert registration.messages.get(kind="confirmed").state == "failed"
    assert not BouncedAddress.objects.exists()


def test_what_is_known_of_the_address_is_among_what_its_owner_may_take_away():
    registration = reader(sent_mail())
    came_back(registration.messages.get())
    stops.unsubscribe(registration, how=stops.How.PAGE, now=LATER)

    assert exports.registration_data(registration, now=LATER)["stopped_mail"] == {
        "address_takes_no_mail_since": "2026-09-16T09:03:00Z",
        "why_mail_came_back": "5.1.1 User unknown",
        "unsubscribed_from_the_host_at": "2026-09-16T09:03:00Z",
        "unsubscribed_how": "page",
    }


def test_nobody_gets_again_what_they_stopped_because_they_erased_one_of_two_registrations():
    host = make_host()
    first = make_registration(make_session(make_webinar(host=host)), email="anna@example.org")
    second = make_registration(make_session(make_webinar(host=host)), email="anna@example.org")
    stops.unsubscribe(first, how=stops.How.PAGE, now=LATER)

    erasure.erase(first, now=LATER)
    assert stops.unsubscription_of(second) is not None

    erasure.erase(second, now=LATER)
    assert not Unsubscription.objects.exists()


def test_a_last_mail_that_would_come_back_is_not_written():
    registration = reader(sent_mail())
    came_back(registration.messages.get())

    erasure.erase(registration, now=LATER)

    assert not Message.objects.filter(kind="erased").exists()


@pytest.mark.parametrize(
    ("host", "noted", "kind"),
    [
        (host, noted, kind)
        for host in ("", "theirs", "another")
        for noted in (None, -1, 1)
        for kind in ("confirmed", "link_again")
    ],
)
@pytest.mark.usefixtures("_optional")
def test_just_before_its_text_a_mail_is_stopped_by_what_stops_it_when_it_is_read(host, noted, kind):
    registration = make_registration()
    registration.messages.update(kind=kind)
    if host:
        theirs = registration.webinar.host if host == "theirs" else make_host()
        Unsubscription.objects.create(host=theirs, email_key=registration.email_key, asked_at=NOW, how="page")
    if noted is not None:
        noted_at = registration.registered_at + timedelta(seconds=noted)
        BouncedAddress.objects.create(email_key=registration.email_key, noted_at=noted_at)

    message = outbox.claim(registration.messages.get().pk, now=NOW)

    assert message is not None
    assert outbox.mark_begun(message, message_id="<x@y>", now=NOW) == (not stops.reason(message))


def test_just_before_its_text_a_mail_is_let_go_by_a_later_word_of_its_reader_too():
    registration = make_registration(email="anna@example.org")
    BouncedAddress.objects.create(email_key=registration.email_key, noted_at=NOW + timedelta(seconds=1))
    make_registration(coming(), email="anna@example.org", now=NOW + timedelta(seconds=2))

    message = outbox.claim(registration.messages.get().pk, now=NOW)

    assert message is not None
    assert outbox.mark_begun(message, message_id="<x@y>", now=NOW)
