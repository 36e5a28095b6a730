"""What becomes of the answers of calendars: whose word counts, and what it changes."""

from datetime import date, timedelta

import pytest
from django.conf import settings as current_settings

from events import scheduling
from registrations import inbound, reply_addresses, signup
from registrations.inbound import Outcome, Result
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar
from tests.incoming import ANSWERED, CALENDARS, calendar_mail, calendar_of, mail, with_calendar

pytestmark = pytest.mark.django_db

LATER = ANSWERED + timedelta(seconds=30)
ACCEPTED = {"ACCEPTED": "accepted", "TENTATIVE": "tentative", "DECLINED": "declined"}


@pytest.fixture
def _with_tags(settings):
    """The domain that mails are from takes tags, so that each entry has an address of its own."""
    settings.SUBADDRESS_DOMAINS = ["webinars.example"]


def receive(raw: bytes, *, now=LATER, recipient="") -> Outcome:
    return inbound.receive(raw, now=now, recipient=recipient)


def registered(**fields) -> Registration:
    """Somebody who has been told that they have one of the two places."""
    registration = make_registration(make_session(capacity=2), **fields)
    everything_sent()
    return registration


def everything_sent() -> None:
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)


def answer_of(registration) -> str:
    registration.refresh_from_db()
    return registration.partstat


def kinds_owed() -> list[str]:
    return list(Message.objects.filter(state="queued").order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("shape", CALENDARS)
@pytest.mark.parametrize("said", ACCEPTED)
def test_what_each_calendar_answers_is_noted(shape, said):
    registration = registered()

    outcome = receive(calendar_mail(registration, shape, partstat=said))

    assert outcome == Outcome(Result.NOTED)
    registration.refresh_from_db()
    assert (registration.partstat, registration.replied_at) == (ACCEPTED[said], LATER)
    assert (registration.partstat_sequence, registration.partstat_dtstamp) == (0, ANSWERED)
    assert registration.is_confirmed
    assert kinds_owed() == (["declined"] if said == "DECLINED" else [])


@pytest.mark.parametrize("shape", CALENDARS)
@pytest.mark.usefixtures("_with_tags")
def test_what_each_calendar_answers_to_the_address_of_the_entry_is_noted(shape):
    registration = registered()
    assert reply_addresses.read_reference(registration.organizer) == registration.reference

    assert receive(calendar_mail(registration, shape)).result == Result.NOTED

    assert answer_of(registration) == "accepted"


def test_an_answer_that_comes_again_or_late_changes_nothing():
    registration = registered()
    first = calendar_mail(registration, partstat="ACCEPTED")
    second = calendar_mail(registration, partstat="DECLINED", dtstamp=ANSWERED + timedelta(seconds=5))
    receive(second)

    outcomes = [receive(raw).result for raw in (first, second, first)]

    assert outcomes == [Result.STALE, Result.STALE, Result.STALE]
    assert answer_of(registration) == "declined"
    assert kinds_owed() == ["declined"]


def test_an_answer_to_an_earlier_revision_changes_nothing():
    registration = registered()
    raw = calendar_mail(registration, partstat="DECLINED")
    session = registration.session
    session.local_time = session.local_time.replace(hour=16)
    scheduling.save_session(session, by=None, now=NOW)
    signup.ask_anew(registration, sequence=1)

    assert receive(raw).result == Result.STALE

    assert answer_of(registration) == ""


@pytest.mark.parametrize("tagged", [True, False])
def test_somebody_elses_answer_is_ignored(settings, tagged):
    settings.SUBADDRESS_DOMAINS = ["webinars.example"] if tagged else []
    registration, other = registered(), registered(email="eve@example.net")
    forged = [
        calendar_mail(registration, sender="eve@example.net"),
        calendar_mail(registration, attendee="eve@example.net"),
        calendar_mail(registration, sender=other.email, attendee=other.email),
        calendar_mail(registration, sender=f"{registration.email}, eve@example.net"),
        calendar_mail(registration, sender=f"{registration.email}>, Eve <eve@example.net"),
    ]

    outcomes = [receive(raw) for raw in forged]

    assert [outcome.result for outcome in outcomes] == [Result.IGNORED] * len(forged)
    assert outcomes[1].reason == "it does not answer for the owner of the entry"
    assert (answer_of(registration), answer_of(other)) == ("", "")


@pytest.mark.usefixtures("_with_tags")
def test_an_address_that_is_signed_for_another_entry_or_by_somebody_else_is_ignored():
    registration, other = registered(), registered()
    last = registration.organizer.partition("@")[0][-1]
    wrong = registration.organizer.replace(f"{last}@", f"{'0' if last != '0' else '1'}@")

    assert receive(calendar_mail(registration, organizer=other.organizer)) == Outcome(
        Result.IGNORED, "it came to the address of another entry"
    )
    assert receive(calendar_mail(registration, organizer=wrong)) == Outcome(
        Result.IGNORED, "it came to an address that is not signed by us"
    )
    # As the envelope says, whatever stands in the headers.
    assert receive(calendar_mail(registration), recipient=other.organizer).result == Result.IGNORED

    assert answer_of(registration) == ""


@pytest.mark.usefixtures("_with_tags")
def test_where_a_server_took_the_tag_away_uid_and_address_must_match():
    registration = registered(email="anna@example.org")
    plain = "webinars@webinars.example"

    alias = calendar_mail(registration, organizer=plain, sender="anna+work@example.org")
    assert receive(alias).result == Result.IGNORED
    assert receive(calendar_mail(registration, organizer=plain)).result == Result.NOTED


@pytest.mark.usefixtures("_with_tags")
def test_an_address_in_another_letter_case_is_the_same():
    registration = registered(email="Anna@Example.org")

    raw = calendar_mail(
        registration, sender="ANNA@example.ORG", attendee="anna@EXAMPLE.org", organizer=registration.organizer.upper()
    )

    assert receive(raw).result == Result.NOTED


def test_a_domain_beyond_ascii_is_the_same_in_both_spellings():
    registration = registered(email="anna@bücher.example")

    raw = calendar_mail(registration, sender="anna@xn--bcher-kva.example", attendee="anna@xn--bcher-kva.example")

    assert receive(raw).result == Result.NOTED


@pytest.mark.parametrize(("tagged", "result"), [(True, Result.NOTED), (False, Result.IGNORED)])
@pytest.mark.parametrize(
    ("registered_as", "alias"),
    [("anna+webinars@example.org", "anna@example.org"), ("an.na@gmail.com", "anna@googlemail.com")],
)
def test_an_alias_of_the_mailbox_counts_at_the_signed_address_alone(settings, tagged, result, registered_as, alias):
    settings.SUBADDRESS_DOMAINS = ["webinars.example"] if tagged else []
    registration = registered(email=registered_as)

    assert receive(calendar_mail(registration, sender=alias)).result == result

    assert answer_of(registration) == ("accepted" if tagged else "")


@pytest.mark.parametrize("change", ["cancelled", "erased"])
def test_an_answer_about_a_registration_that_ended_is_ignored(change):
    registration = registered()
    raw = calendar_mail(registration, sequence=1)
    signup.cancel(registration, now=NOW)
    if change == "erased":
        Registration.objects.filter(pk=registration.pk).update(erased_at=NOW)
    everything_sent()

    assert receive(raw) == Outcome(Result.IGNORED, "the registration has ended")

    assert answer_of(registration) == ""
    assert kinds_owed() == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"method": "REQUEST"}, "it does not answer an invite"),
        ({"method": "PUBLISH"}, "it does not answer an invite"),
        ({"partstat": "NEEDS-ACTION"}, "it answers neither yes, perhaps nor no"),
        ({"partstat": "DELEGATED"}, "it answers neither yes, perhaps nor no"),
        (
            {"partstat": 'DELEGATED;DELEGATED-TO="mailto:eve@example.net"'},
            "it passes the place on to somebody else, which places cannot be",
        ),
        ({"uid": "somebody-elses@example.net"}, "it is about no entry of ours"),
        ({"sequence": "-1"}, "it answers no revision"),
        ({"dtstamp": "20260916"}, "it does not say when it was written"),
        ({"dtstamp": "yesterday"}, "its entry cannot be read"),
    ],
)
def test_what_answers_no_invite_is_ignored_with_a_reason(said, reason):
    registration = registered()

    assert receive(calendar_mail(registration, **said)) == Outcome(Result.IGNORED, reason)

    assert answer_of(registration) == ""


def test_an_out_of_office_that_quotes_the_invite_is_ignored():
    registration = registered()
    said = {"uid": registration.uid, "sequence": 0, "partstat": "NEEDS-ACTION", "dtstamp": "20260916T091532Z"}
    raw = mail(
        "out_of_office",
        method="REQUEST",
        organizer=registration.organizer,
        sender=registration.email,
        attendee=registration.email,
        **said,
    )

    assert receive(raw) == Outcome(Result.IGNORED, "it does not answer an invite")

    assert kinds_owed() == []


def test_two_entries_in_one_answer_are_ignored():
    registration = registered()
    calendar = calendar_of(registration)
    event = calendar[calendar.index(b"BEGIN:VEVENT") : calendar.index(b"END:VCALENDAR")]
    twice = calendar.replace(event, event * 2)

    raw = with_calendar(twice, sender=registration.email, to=registration.organizer)

    assert receive(raw) == Outcome(Result.IGNORED, "it is not about one entry")


@pytest.mark.parametrize(
    ("encode", "charset", "result"),
    [
        ("utf-8", "utf-8", Result.NOTED),
        ("utf-8-sig", "utf-8", Result.NOTED),
        ("latin-1", "iso-8859-1", Result.NOTED),
        ("utf-8", "us-ascii", Result.NOTED),
        ("utf-16", "utf-16", Result.IGNORED),
        ("utf-16", "utf-8", Result.IGNORED),
        ("utf-7", "utf-7", Result.IGNORED),
        ("utf-8", "no-such-set", Result.IGNORED),
    ],
)
def test_character_sets_that_begin_with_ascii_are_read_and_others_refused(encode, charset, result):
    registration = registered(name="José")
    calendar = calendar_of(registration).decode().replace("Кари\r\n мова, Anna", "José")

    raw = with_calendar(
        calendar.encode(encode),
        sender=registration.email,
        to=registration.organizer,
        parameters=f"method=REPLY; charset={charset}",
    )

    assert receive(raw).result == result


def test_the_method_inside_the_calendar_counts_where_the_parts_own_differs():
    registration = registered()

    raw = with_calendar(
        calendar_of(registration), sender=registration.email, to=registration.organizer, parameters="method=REQUEST"
    )

    assert receive(raw).result == Result.NOTED


def test_a_zone_that_a_mail_defines_is_not_kept_for_later():
    from icalendar.timezone import tzp

    registration = registered()

    assert receive(calendar_mail(registration, "outlook").replace(b"GMT Standard Time", b"Mars/Olympus")).result == (
        Result.NOTED
    )

    assert tzp.timezone("Mars/Olympus") is None


# ---------- what our own mail server says ----------

HEADER = b"Authentication-Results: "


@pytest.mark.parametrize(
    ("results", "result"),
    [
        ([b"mx.webinars.example; dmarc=pass header.from=example.org"], Result.NOTED),
        ([b"mx.webinars.example; spf=pass (a (nested; dmarc=fail) word); dmarc=pass"], Result.NOTED),
        ([b'mx.webinars.example; auth=pass smtp.auth="; dmarc=fail;"; dmarc=pass'], Result.NOTED),
        ([b"mx.webinars.example; none"], Result.NOTED),
        ([b"mx.webinars.example 1; spf=pass;\r\n\tDMARC=Fail (p=none) header.from=example.org"], Result.IGNORED),
        ([b"mx.webinars.example; dmarc=fail", b"mx.webinars.example; dmarc=pass"], Result.IGNORED),
        ([b"mx.webinars.example; dmarc=pass", b"mx.webinars.example; dmarc=fail"], Result.NOTED),
        ([b"elsewhere.example; dmarc=fail"], Result.NOTED),
    ],
)
def test_our_own_servers_topmost_word_alone_says_who_is_forged(settings, results, result):
    settings.AUTHSERV_ID = "mx.webinars.example"
    registration = registered()
    headers = b"".join(HEADER + line + b"\r\n" for line in results)

    assert receive(headers + calendar_mail(registration)).result == result


def test_without_the_name_of_our_server_nothing_is_concluded():
    assert current_settings.AUTHSERV_ID == ""
    registration = registered()

    raw = HEADER + b"mx.webinars.example; dmarc=fail\r\n" + calendar_mail(registration)

    assert receive(raw).result == Result.NOTED


# ---------- questions ----------


@pytest.mark.parametrize("shape", CALENDARS)
def test_a_proposal_of_another_time_changes_nothing_and_is_answered_once(shape):
    registration = registered()
    make_session(registration.webinar, local_date=date(2026, 10, 15))
    proposal = calendar_mail(registration, shape, method="COUNTER", partstat="TENTATIVE")
    again = calendar_mail(registration, shape, method="COUNTER", dtstamp=ANSWERED + timedelta(hours=1))

    outcomes = [receive(raw, now=LATER + timedelta(hours=hours)).result for hours, raw in enumerate([proposal, again])]

    assert outcomes == [Result.ANSWERED, Result.STALE]
    # What they say of the time as it is counts all the same.
    assert answer_of(registration) == "accepted"
    assert (registration.sequence, registration.session.local_date) == (0, date(2026, 10, 14))
    assert kinds_owed() == ["countered"]


def test_after_a_new_revision_a_proposal_is_answered_anew():
    registration = registered()
    receive(calendar_mail(registration, method="COUNTER"))
    session = registration.session
    session.local_time = session.local_time.replace(hour=16)
    scheduling.save_session(session, by=None, now=LATER)
    signup.ask_anew(registration, sequence=1)
    registration.refresh_from_db()

    assert receive(calendar_mail(registration, method="COUNTER", sequence=0)).result == Result.STALE
    assert receive(calendar_mail(registration, method="COUNTER")).result == Result.ANSWERED


@pytest.mark.parametrize(
    "header", [b"Auto-Submitted: auto-replied", b"Precedence: bulk", b"Precedence: list", b"Return-Path: <>"]
)
@pytest.mark.parametrize("method", ["COUNTER", "REFRESH"])
def test_what_a_program_wrote_is_not_answered(header, method):
    registration = registered()

    outcome = receive(header + b"\r\n" + calendar_mail(registration, "thunderbird", method=method))

    assert outcome == Outcome(Result.IGNORED, "it was written by a program, which is not answered")
    assert kinds_owed() == []


def test_an_answer_that_a_calendar_sent_by_itself_is_noted():
    registration = registered()

    assert receive(b"Precedence: bulk\r\n" + calendar_mail(registration, "google")).result == Result.NOTED


def test_who_asks_for_the_entry_gets_it_again_at_most_every_ten_minutes():
    registration = registered()
    raw = calendar_mail(registration, "outlook", method="REFRESH")

    outcomes = []
    for minutes in (0, 5, 11):
        outcomes.append(receive(raw, now=LATER + timedelta(minutes=minutes)).result)
        everything_sent()

    assert outcomes == [Result.ANSWERED, Result.STALE, Result.ANSWERED]
    assert list(registration.messages.values_list("kind", flat=True)) == ["confirmed"] * 3


def test_who_asks_for_the_entry_while_it_is_on_its_way_gets_no_second_one():
    registration = make_registration(make_session())

    assert receive(calendar_mail(registration, method="REFRESH")).result == Result.STALE

    assert kinds_owed() == ["confirmed"]


def test_who_asks_for_an_entry_whose_mail_went_nowhere_gets_the_link():
    registration = registered()
    Message.objects.update(state=Message.State.CANCELLED)

    assert receive(calendar_mail(registration, method="REFRESH")).result == Result.ANSWERED

    assert kinds_owed() == ["link_again"]


# ---------- how often, and what is told ----------


def test_an_answer_takes_few_queries(django_assert_num_queries):
    registration = make_registration(make_session(make_webinar(host=make_host(keep_hours=None))))
    everything_sent()
    raw = calendar_mail(registration)

    # The entry; then the act: its transaction, its rows and locks, and the answer.
    with django_assert_num_queries(7):
        receive(raw)


def test_the_log_names_nobody_and_repeats_nothing(caplog):
    caplog.set_level("DEBUG")
    registration = registered(name="Anna Karimova", email="anna@example.org")

    receive(calendar_mail(registration))
    receive(calendar_mail(registration, sender="eve@example.net"))
    receive(calendar_mail(registration, dtstamp="anna@example.org"))
    receive(b"\x00\xff junk of eve@example.net")

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("registrations.inbound")]
    assert ours == [
        "A mail came in: noted.",
        "A mail came in: ignored: it is not from the owner of the entry.",
        "A mail came in: ignored: its entry cannot be read.",
        "A mail came in: ignored: it has no calendar part.",
    ]
