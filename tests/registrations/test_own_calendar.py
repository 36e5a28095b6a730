"""One's own registrations as a calendar to subscribe to: whose, what is in it, and who reads it."""

from datetime import UTC, datetime, timedelta

import pytest
import vobject
from allauth.account.models import EmailAddress
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from events import scheduling
from events.models import Host, Session, User, Webinar
from registrations import erasure, own_calendar, signup, tokens
from registrations.models import CalendarFeed, Registration
from tests.builders import NOW, make_host, make_organizer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)
SECOND = timedelta(seconds=1)
ANNA = "anna@example.org"


def make_person(email=ANNA, *, verified=True, **fields):
    user = User.objects.create_user(email, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def token_of(user):
    return reverse_path(user).split("/")[-1].removesuffix(".ics")


def reverse_path(user):
    feed = own_calendar.make(user, now=NOW)
    return reverse("own_calendar", args=[tokens.calendar_url(feed).split("/")[-1].removesuffix(".ics")])


def make_own(session=None, **fields):
    return make_registration(session, **{"email": ANNA, "name": "Anna Karimova", **fields})


def shown(*addresses, now=NOW):
    """What the calendar of these addresses shows: each entry's UID with its status, as another parser reads them."""
    written = own_calendar.written(own_calendar.entries(addresses or [ANNA], now=now), name="My webinars")
    calendar = vobject.readOne(written.decode())
    return [(event.uid.value, event.status.value) for event in calendar.contents.get("vevent", [])]


def sign_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")


# ---------- what is in it ----------


def test_entry_is_the_one_of_the_invite_without_inviting_anybody():
    host = make_host(name="Border Review", sender_email="talks@example.org")
    session = make_session(make_webinar(host=host, title="Borders; and more"))
    own = make_own(session, time_zone="Asia/Tashkent")

    written = own_calendar.written(own_calendar.entries([ANNA], now=NOW), name="My webinars")

    calendar = vobject.readOne(written.decode())
    [event] = calendar.vevent_list
    assert (calendar.method.value, calendar.contents["x-wr-calname"][0].value) == ("PUBLISH", "My webinars")
    assert (event.uid.value, event.sequence.value, event.status.value) == (own.uid, "0", "CONFIRMED")
    assert event.dtstamp.value == event.last_modified.value == own.dtstamp
    assert (event.dtstart.value, event.dtend.value) == (session.starts_at, session.ends_at)
    assert event.summary.value == "Borders; and more"
    assert event.location.value == tokens.join_url(own)
    assert event.organizer.value == "mailto:talks@example.org"
    assert "17:30 Tashkent, UTC+5" in event.description.value
    assert event.valarm.action.value == "DISPLAY"
    assert "attendee" not in event.contents
    assert b"anna@" not in written.lower()
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in written
    # Whoever is handed the file is not handed the address.
    assert b"SOURCE" not in written


def test_entry_speaks_its_owners_language_whoever_asks():
    make_own(language="ar")

    [entry] = own_calendar.entries([ANNA], now=NOW)
    written = own_calendar.written([entry], name="x").replace(b"\r\n ", b"").decode()

    assert f"LOCATION:{tokens.join_url(entry).replace('/join/', '/ar/join/')}" in written


def test_moved_session_moves_the_same_entry():
    own = make_own()
    session = own.session
    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=NOW + SECOND)

    [event] = vobject.readOne(
        own_calendar.written(own_calendar.entries([ANNA], now=NOW), name="x").decode()
    ).vevent_list

    assert (event.uid.value, event.sequence.value) == (own.uid, "1")
    assert event.dtstart.value == datetime(2026, 10, 14, 14, 30, tzinfo=UTC)


def test_cancelled_registration_is_withdrawn_for_thirty_days_to_the_second():
    own = make_own()
    assert shown() == [(own.uid, "CONFIRMED")]

    signup.cancel(own, now=NOW)

    assert shown(now=NOW + MONTH - SECOND) == [(own.uid, "CANCELLED")]
    assert shown(now=NOW + MONTH) == []


def test_cancelled_session_is_withdrawn_for_thirty_days_to_the_second():
    own = make_own()

    scheduling.cancel_session(own.session, by=None, now=NOW)

    assert shown(now=NOW + MONTH - SECOND) == [(own.uid, "CANCELLED")]
    assert shown(now=NOW + MONTH) == []


def test_what_was_withdrawn_leaves_the_time_free_and_rings_no_bell():
    own = make_own()
    signup.cancel(own, now=NOW)

    written = own_calendar.written(own_calendar.entries([ANNA], now=NOW), name="x")

    assert b"TRANSP:TRANSPARENT" in written
    assert b"VALARM" not in written


def test_session_that_is_over_stays_for_thirty_days_to_the_second():
    own = make_own()
    end = own.session.ends_at

    assert shown(now=end + MONTH - SECOND) == [(own.uid, "CONFIRMED")]
    assert shown(now=end + MONTH) == []


@pytest.mark.parametrize(("has_tentative_entries", "statuses"), [(True, ["TENTATIVE"]), (False, [])])
def test_whoever_waits_has_an_entry_where_the_host_promised_one(has_tentative_entries, statuses):
    webinar = make_webinar(host=make_host(has_tentative_entries=has_tentative_entries))
    session = make_session(webinar, capacity=1)
    make_registration(session)
    make_own(session)

    assert [status for _uid, status in shown()] == statuses


def test_place_that_came_free_is_certain():
    session = make_session(make_webinar(host=make_host(has_tentative_entries=True)), capacity=1)
    first = make_registration(session)
    own = make_own(session)

    signup.cancel(first, now=NOW)

    assert shown() == [(own.uid, "CONFIRMED")]


def test_what_nobody_proved_is_not_in_it():
    own = make_own(make_session(make_webinar(needs_proof=True)))
    assert own.awaits == Registration.Awaits.PROOF

    assert shown() == []


def test_what_has_to_be_proved_again_is_not_in_it():
    webinar = make_webinar()
    own = make_own(make_session(webinar))
    signup.cancel(own, now=NOW)
    Webinar.objects.update(needs_proof=True)
    again = make_own(Session.objects.get(pk=own.session_id))
    assert (again.pk, again.awaits) == (own.pk, Registration.Awaits.PROOF)

    assert shown() == []


def test_what_was_never_promised_is_not_withdrawn():
    session = make_session(capacity=1)
    make_registration(session)
    own = make_own(session)

    signup.cancel(own, now=NOW)

    assert shown() == []


def test_erased_registration_is_not_in_it():
    own = make_own()

    erasure.erase(own, now=NOW)

    assert shown() == []
    assert shown("", f"erased-{own.reference}") == []


# ---------- whose it is ----------


def test_it_has_the_registrations_of_all_proved_addresses_and_of_nobody_else(client):
    anna, other = make_person(), make_person("boris@example.org")
    EmailAddress.objects.create(user=anna, email="Anna@Work.example", verified=True)
    EmailAddress.objects.create(user=anna, email="carla@example.org", verified=False)
    mine = make_own()
    at_work = make_own(email="anna@work.EXAMPLE", session=mine.session)
    for email in ("boris@example.org", "carla@example.org", "anna@example.org.example", "nobody@example.org"):
        make_own(email=email, session=mine.session, name="Somebody Else")
    Session.objects.update(
        starts_at=mine.session.starts_at + 52 * 7 * timedelta(days=1),
        ends_at=mine.session.ends_at + 52 * 7 * timedelta(days=1),
    )

    content = {user.email: client.get(reverse_path(user)).content.decode() for user in (anna, other)}

    def uids(email):
        return {event.uid.value for event in vobject.readOne(content[email]).vevent_list}

    assert uids(ANNA) == {mine.uid, at_work.uid}
    assert len(uids("boris@example.org")) == 1
    assert uids(ANNA).isdisjoint(uids("boris@example.org"))
    for theirs in Registration.objects.exclude(pk__in=[mine.pk, at_work.pk]):
        for secret in (theirs.uid, theirs.reference, theirs.email, theirs.name):
            assert secret not in content[ANNA].replace("\r\n ", "")


def test_address_that_only_folds_to_the_same_letters_is_not_the_same():
    make_own(email="kim@example.org")
    user = make_person("\u212aim@example.org")

    assert own_calendar.addresses_behind(token_of(user)) == []


emails = st.sampled_from([ANNA, "boris@example.org", "carla@example.org"])
letter_case = st.sampled_from([str.lower, str.upper, str.title])


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(registered=st.lists(st.tuples(emails, letter_case), max_size=6), asked=st.lists(emails, unique=True, max_size=2))
def test_whoever_registers_in_whatever_letters_it_is_in_the_calendar_of_that_address_alone(registered, asked):
    Registration.objects.all().delete()
    made = [make_registration(email=spell(email)) for email, spell in registered]

    uids = [uid for uid, _status in shown(*asked)] if asked else []

    assert sorted(uids) == sorted(own.uid for own in made if own.email_key in asked)


# ---------- the address ----------


def test_address_stays_until_it_is_made_anew_or_taken_away(client):
    user = make_person()
    first = reverse_path(user)
    assert reverse_path(user) == first
    assert client.get(first).status_code == 200

    own_calendar.make_anew(user, now=NOW)
    second = reverse_path(user)
    answers = [client.get(path).status_code for path in (first, second)]
    own_calendar.take_away(user)
    own_calendar.take_away(user)

    assert second != first
    assert answers == [404, 200]
    assert client.get(second).status_code == 404


def test_address_opens_nothing_else_and_no_other_link_opens_it(client):
    own, user = make_own(), make_person()
    token = token_of(user)

    for read in (tokens.read_manage_token, tokens.read_join_token):
        with pytest.raises(tokens.BadTokenError):
            read(token)
    for other in (tokens.manage_token(own), tokens.join_token(own), f"{own.reference}.x", "x"):
        with pytest.raises(tokens.BadTokenError):
            own_calendar.addresses_behind(other)


def test_calendar_of_whoever_may_not_sign_in_any_more_is_not_found(client):
    user = make_person()
    path = reverse_path(user)

    User.objects.update(is_active=False)

    assert client.get(path).status_code == 404


def test_account_that_is_erased_takes_its_calendar_along(client):
    user = make_person()
    path = reverse_path(user)

    erasure.erase_person(user, [ANNA], now=NOW)

    assert client.get(path).status_code == 404
    assert not CalendarFeed.objects.exists()


def test_address_that_ended_looks_like_one_that_never_was_and_costs_a_statement_at_most(
    client, django_assert_max_num_queries
):
    user, off = make_person(), make_person("boris@example.org", is_active=False)
    ended = reverse_path(user)
    own_calendar.take_away(user)
    make_session(make_webinar(title="Told to nobody who asks here"))

    seen = set()
    for path in (ended, reverse_path(off), reverse("own_calendar", args=["never.was"]), f"{ended[:-5]}x.ics"):
        for known in ({}, {"If-None-Match": "*"}):
            with django_assert_max_num_queries(1):
                response = client.get(path, headers=known)
            assert response.status_code == 404
            # The page leads to itself in other languages.
            words = response.content.decode().replace(path, "")
            seen.add((words, *(f"{name}: {value}" for name, value in response.items() if name != "Content-Length")))

    assert len(seen) == 1
    assert "We cannot find this page" in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"


# ---------- asked again ----------


@pytest.fixture
def followed(client):
    """A registration to come, whenever the tests run, and the address of its calendar."""
    host = make_host(sender_email="talks@example.org")
    session = make_session(make_webinar(host=host), local_date=datetime(2099, 10, 14, tzinfo=UTC).date())
    return make_own(session), reverse_path(make_person())


@pytest.mark.parametrize("count", [1, 3])
def test_calendar_takes_two_statements_however_long_and_for_whoever_has_it(
    client, followed, django_assert_num_queries, count
):
    own, path = followed
    for _number in range(count - 1):
        make_own(make_session(local_date=own.session.local_date))
    with django_assert_num_queries(2):
        first = client.get(path)

    with django_assert_num_queries(2):
        again = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert len(vobject.readOne(first.content.decode()).vevent_list) == count
    assert (again.status_code, again.content) == (304, b"")
    assert first["Content-Type"] == "text/calendar; charset=utf-8"
    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"
    assert first["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in first


def test_nothing_is_written_for_whoever_has_the_calendar(client, followed, monkeypatch):
    _own, path = followed
    etag = client.get(path)["ETag"]
    monkeypatch.setattr(own_calendar, "written", lambda *_mine, **_words: pytest.fail("It is written all the same."))

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_head_says_of_the_calendar_what_getting_it_would(client, followed):
    _own, path = followed
    got, asked = client.get(path), client.head(path)

    assert asked.content == b""
    assert dict(asked.headers) == dict(got.headers)


def change_rows(model, **fields):
    return lambda _own, _settings: model.objects.update(**fields)


def move(own, _settings):
    session = own.session
    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=NOW)


def move_the_site(_own, settings):
    settings.SITE_URL = "https://moved.example.org"


def sign_with_another_key(_own, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, which is long enough to be taken"


CHANGES = {
    "moved": move,
    "cancelled": lambda own, _settings: signup.cancel(own, now=NOW),
    "session cancelled": lambda own, _settings: scheduling.cancel_session(own.session, by=None, now=datetime.now(UTC)),
    "another registration": lambda own, _settings: make_own(make_session(local_date=own.session.local_date)),
    "erased": lambda own, _settings: erasure.erase(own, now=NOW),
    "title": change_rows(Webinar, title="Borders, again"),
    "summary": change_rows(Webinar, summary="Who guards them, and how."),
    "slug": change_rows(Webinar, slug="borders-again"),
    "host": change_rows(Host, name="Border Weekly"),
    "zone of the host": change_rows(Host, time_zone="Asia/Tokyo"),
    "organizer": change_rows(Registration, organizer="office@example.org"),
    "zone of its owner": change_rows(Registration, time_zone="Asia/Tokyo"),
    "language of its owner": change_rows(Registration, language="ar"),
    "zone it is planned in": change_rows(Session, time_zone="Asia/Tokyo"),
    "sequence": change_rows(Registration, sequence=7),
    "stamp": change_rows(Registration, dtstamp=NOW + SECOND),
    "uid": change_rows(Registration, uid="another"),
    "tentative": change_rows(Registration, entry="tentative"),
    "site": move_the_site,
    "key": sign_with_another_key,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_calendar_that_changed_is_sent_again(client, settings, followed, change):
    own, path = followed
    first = client.get(path)

    change(own, settings)

    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again.content != first.content


def test_what_others_do_changes_nothing(client, followed):
    own, path = followed
    first = client.get(path)

    make_registration(own.session)
    make_own(make_session(), email="boris@example.org")

    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_calendar_in_another_language_has_its_name_in_it(client, followed):
    _own, path = followed

    here, there = client.get(path), client.get(f"/ar{path}")

    assert here["ETag"] != there["ETag"]
    names = [vobject.readOne(answer.content.decode()).contents["name"][0].value for answer in (here, there)]
    assert names[0] == "My webinars" != names[1]


# ---------- on the page ----------


def test_address_is_made_made_anew_and_ended_by_buttons(client, settings):
    user = make_person()
    sign_in(client, user)
    page, act = reverse("my_webinars"), reverse("my_calendar")
    before = client.get(page).content.decode()

    made = client.post(act, {"act": "make"}, follow=True).content.decode()
    first = tokens.calendar_url(CalendarFeed.objects.get())
    anew = client.post(act, {"act": "renew"}, follow=True).content.decode()
    second = tokens.calendar_url(CalendarFeed.objects.get())
    ended = client.post(act, {"act": "stop"}, follow=True).content.decode()

    assert 'value="make"' in before
    assert "webcal:" not in before
    webcal = first.replace("http:", "webcal:")
    assert f'<p class="raw ltr" id="calendar-address">{first}</p>' in made
    assert f'href="{webcal}"' in made
    assert f'href="https://calendar.google.com/calendar/r?cid={webcal.replace(":", "%3A").replace("/", "%2F")}"' in made
    assert "Your calendar has an address now" in made
    assert "Whoever has the address can read the calendar" in made
    assert "shown twice" in made
    assert "the old one has ended" in anew
    assert (first in anew, second in anew) == (False, True)
    assert "Nobody can read it any more" in ended
    assert second not in ended
    assert not CalendarFeed.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"act": ""}, {"act": "nonsense"}])
def test_link_alone_and_what_is_not_understood_do_nothing(client, sent):
    user = make_person()
    feed = own_calendar.make(user, now=NOW)
    sign_in(client, user)

    answers = [client.get(reverse("my_calendar"), sent), client.post(reverse("my_calendar"), sent)]

    assert {answer["Location"] for answer in answers} == {reverse("my_webinars")}
    assert CalendarFeed.objects.get().reference == feed.reference


def test_buttons_do_nothing_for_whoever_is_not_signed_in_or_comes_from_another_site(client):
    feed = own_calendar.make(make_person(), now=NOW)

    client.post(reverse("my_calendar"), {"act": "stop"})
    strict = type(client)(enforce_csrf_checks=True)
    sign_in(strict, feed.user)
    forged = strict.post(reverse("my_calendar"), {"act": "stop"})

    assert forged.status_code == 403
    assert CalendarFeed.objects.get().reference == feed.reference


def test_nobody_sees_or_ends_the_calendar_of_another(client):
    anna, other = make_person(), make_organizer()
    feed = own_calendar.make(anna, now=NOW)
    sign_in(client, other)

    page = client.get(reverse("my_webinars")).content.decode()
    for act in ("renew", "stop"):
        client.post(reverse("my_calendar"), {"act": act})

    assert feed.reference not in page
    assert CalendarFeed.objects.get(user=anna).reference == feed.reference


def test_ones_data_say_where_the_calendar_is_and_since_when(client):
    user = make_person()
    sign_in(client, user)
    without = client.get(reverse("my_data")).json()["account"]["calendar"]

    feed = own_calendar.make(user, now=NOW)

    assert without is None
    assert client.get(reverse("my_data")).json()["account"]["calendar"] == {
        "address": tokens.calendar_url(feed),
        "made_at": "2026-09-16T09:00:00Z",
    }
