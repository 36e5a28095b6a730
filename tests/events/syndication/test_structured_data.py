"""What pages say to programs in the words of schema.org."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from events import scheduling
from events.landing import landing_page
from events.lookup import get_webinar
from events.models import Partner, Series, SeriesPartnership, Session, Webinar, WebinarPartnership
from events.syndication.cards import card_of
from events.syndication.structured_data import as_script, series_event, webinar_event
from tests.builders import NOW, make_appearance, make_host, make_presenter, make_session, make_webinar

pytestmark = pytest.mark.django_db

# Made by extract_schema_org.py beside it.
VOCABULARY = json.loads((Path(__file__).parent.parent / "data" / "schema_org.json").read_text(encoding="utf-8"))
AFTER = datetime(2026, 10, 14, 15, 0, tzinfo=UTC)


def event_of(webinar, now=NOW):
    webinar = get_webinar(webinar.slug)
    return webinar_event(landing_page(webinar, now=now, zone="Asia/Tokyo"), card_of(webinar, now=now))


def words_of(name):
    return name.removeprefix("https://schema.org/")


# ---------- the vocabulary ----------


def faults(node):
    """What in it the vocabulary does not know, or not there, or not with such a value."""
    kind = node["@type"]
    if kind not in VOCABULARY["types"]:
        return [f"{kind} is no type"]
    known = VOCABULARY["types"][kind]
    found = []
    for name, value in node.items():
        if name.startswith("@"):
            continue
        if name not in known:
            found.append(f"{kind} has no {name}")
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                found += faults(one)
            if not any(fits(one, allowed) for allowed in known[name]):
                found.append(f"{kind}.{name} is none of {known[name]}: {one!r}")
    return found


def fits(value, allowed):
    if isinstance(value, dict):
        return value["@type"] == allowed or value["@type"] in VOCABULARY["kinds_of"].get(allowed, [])
    if allowed in VOCABULARY["enumerations"]:
        return words_of(str(value)) in VOCABULARY["enumerations"][allowed]
    if allowed == "Boolean":
        return isinstance(value, bool)
    if allowed in {"Integer", "Number"}:
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if allowed == "DateTime":
        return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", value) is not None
    if allowed == "Duration":
        return re.fullmatch(r"PT\d+M", value) is not None
    if allowed == "URL":
        return value.startswith(("http://", "https://"))
    return allowed == "Text"


def make_full_webinar(**fields):
    """One that has whatever an event can have."""
    host = make_host(website="https://border-review.example.org/")
    series = Series.objects.create(host=host, title="Region by region", slug="region-by-region", about="One at a time.")
    webinar = make_webinar(host=host, series=series, official_title="Challenges at the Border, 2026", **fields)
    for number, kind in enumerate(("partner", "organizer", "sponsor", "supporter", "media")):
        partner = Partner.objects.create(host=host, name=f"Partner {number}", parent="The World")
        WebinarPartnership.objects.create(webinar=webinar, partner=partner, kind=kind, order=number)
    SeriesPartnership.objects.create(series=series, partner=Partner.objects.create(host=host, name="The Congress"))
    make_appearance(webinar)
    make_appearance(webinar, make_presenter(host=host, name="", job_title="Editor"))
    return webinar


@pytest.mark.parametrize("sessions", [1, 3])
@pytest.mark.parametrize(
    ("fields", "now"),
    [
        ({"registration_opens_at": NOW + timedelta(days=1)}, NOW),
        ({"price_amount": "12.50", "price_currency": "EUR"}, NOW),
        ({"replay_url": "https://video.example.org/1", "replay_until": AFTER + timedelta(days=90)}, AFTER),
        ({"status": Webinar.Status.CANCELLED}, NOW),
    ],
)
def test_every_type_and_property_is_in_the_vocabulary(fields, now, sessions):
    webinar = make_full_webinar(**fields)
    for number in range(sessions):
        make_session(webinar, local_time=time(13 - number, 30), capacity=100, places_taken=96, label=f"Number {number}")
    session = webinar.sessions.first()
    Session.objects.filter(pk=session.pk).update(previous_starts_at=session.starts_at - timedelta(days=1))

    event = event_of(webinar, now)

    assert faults(event) == []


def test_the_check_of_the_vocabulary_finds_what_is_wrong():
    event = {
        "@type": "EducationEvent",
        "speaker": "Anna",
        "startDate": "tomorrow",
        "eventStatus": "https://schema.org/EventMoved",
        "location": {"@type": "Offer", "colour": "red"},
        "subEvent": {"@type": "Webinar"},
        "isAccessibleForFree": "yes",
    }

    found = faults(event)

    assert [fault.split(" is none of")[0] for fault in found] == [
        "EducationEvent has no speaker",
        "EducationEvent.startDate",
        "EducationEvent.eventStatus",
        "Offer has no colour",
        "EducationEvent.location",
        "Webinar is no type",
        "EducationEvent.subEvent",
        "EducationEvent.isAccessibleForFree",
    ]


# ---------- one session, several, none ----------


def test_a_single_session_is_the_event_itself_at_the_planners_clock(settings):
    webinar = make_webinar(title="Borders", summary="Who guards them.", slug="borders", language="ru")
    make_session(webinar, time_zone="America/New_York", local_date=date(2026, 10, 14), local_time=time(8, 30))

    event = event_of(webinar)

    url = f"{settings.SITE_URL}/webinars/borders/"
    assert (event["@type"], event["name"], event["description"]) == ("EducationEvent", "Borders", "Who guards them.")
    assert (event["startDate"], event["endDate"]) == ("2026-10-14T08:30:00-04:00", "2026-10-14T10:00:00-04:00")
    assert (event["duration"], event["inLanguage"]) == ("PT90M", "ru")
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"
    assert event["location"] == {"@type": "VirtualLocation", "url": url}
    assert event["url"] == url
    assert "subEvent" not in event


def test_several_sessions_are_events_within_one_that_spans_them():
    webinar = make_webinar()
    make_session(webinar, time_zone="Asia/Tokyo", local_time=time(9, 0), label="Suits East Asia")
    make_session(webinar, time_zone="America/New_York", local_time=time(11, 0))
    gone = make_session(webinar, local_date=date(2026, 10, 20))
    scheduling.cancel_session(gone, by=None, now=NOW)

    event = event_of(webinar)

    assert (event["startDate"], event["endDate"]) == ("2026-10-14T09:00:00+09:00", "2026-10-14T12:30:00-04:00")
    assert [(one["startDate"], words_of(one["eventStatus"])) for one in event["subEvent"]] == [
        ("2026-10-14T09:00:00+09:00", "EventScheduled"),
        ("2026-10-14T11:00:00-04:00", "EventScheduled"),
        ("2026-10-20T13:30:00+01:00", "EventCancelled"),
    ]
    assert event["subEvent"][0]["description"] == "Suits East Asia"
    assert event["eventStatus"] == "https://schema.org/EventScheduled"


@pytest.mark.parametrize("fields", [{"access": Webinar.Access.UNLISTED}, {"status": Webinar.Status.DRAFT}])
def test_programs_are_not_told_of_what_is_not_listed(fields):
    webinar = make_webinar()
    make_session(webinar)
    shown = get_webinar(webinar.slug)
    for name, value in fields.items():
        setattr(shown, name, value)

    event = webinar_event(landing_page(shown, now=NOW, zone=None), card_of(shown, now=NOW))

    assert event is None


def test_several_sessions_lead_with_what_is_still_to_come():
    webinar = make_webinar()
    make_session(webinar)
    make_session(webinar, local_date=date(2026, 10, 21))
    make_session(webinar, local_date=date(2026, 10, 28))

    event = event_of(webinar, now=AFTER)

    assert (event["startDate"], event["endDate"]) == ("2026-10-21T13:30:00+01:00", "2026-10-28T15:00:00+00:00")
    assert len(event["subEvent"]) == 3


def test_several_sessions_that_are_over_span_what_took_place():
    webinar = make_webinar()
    make_session(webinar)
    make_session(webinar, local_date=date(2026, 10, 21))

    event = event_of(webinar, now=AFTER + timedelta(days=30))

    assert (event["startDate"], event["endDate"]) == ("2026-10-14T13:30:00+01:00", "2026-10-21T15:00:00+01:00")


def test_several_sessions_have_moved_when_the_next_of_them_has():
    webinar = make_webinar()
    first = make_session(webinar)
    make_session(webinar, local_date=date(2026, 10, 21))
    first.local_date = date(2026, 10, 15)
    scheduling.save_session(first, by=None, now=NOW)

    before, after = event_of(webinar), event_of(webinar, now=AFTER + timedelta(days=1))

    assert words_of(before["eventStatus"]) == "EventRescheduled"
    assert before["previousStartDate"] == "2026-10-14T13:30:00+01:00"
    assert words_of(after["eventStatus"]) == "EventScheduled"
    assert "previousStartDate" not in after
    assert [words_of(one["eventStatus"]) for one in before["subEvent"]] == ["EventRescheduled", "EventScheduled"]


def test_without_a_session_there_is_no_event():
    assert event_of(make_webinar()) is None


# ---------- moved and called off ----------


def test_a_session_that_moved_says_from_when():
    session = make_session()
    session.local_date = date(2026, 10, 28)
    scheduling.save_session(session, by=None, now=NOW)

    event = event_of(session.webinar)

    assert words_of(event["eventStatus"]) == "EventRescheduled"
    # Clocks go back in between, and each date has the offset of its own day.
    assert event["previousStartDate"] == "2026-10-14T13:30:00+01:00"
    assert event["startDate"] == "2026-10-28T13:30:00+00:00"


def test_a_session_that_moved_says_so_to_programs_as_long_as_to_people():
    session = make_session()
    session.local_date = date(2026, 10, 28)
    scheduling.save_session(session, by=None, now=NOW)

    event = event_of(session.webinar, session.starts_at)

    assert words_of(event["eventStatus"]) == "EventScheduled"
    assert "previousStartDate" not in event


def test_what_is_called_off_is_cancelled_and_has_no_places():
    session = make_session()
    scheduling.cancel_webinar(session.webinar, by=None, now=NOW)

    event = event_of(session.webinar)

    assert words_of(event["eventStatus"]) == "EventCancelled"
    assert "offers" not in event


# ---------- places and prices ----------


@pytest.mark.parametrize(
    ("fields", "availability"),
    [
        ({"capacity": 100, "places_taken": 50}, "InStock"),
        ({"capacity": None}, "InStock"),
        ({"capacity": 100, "places_taken": 97}, "LimitedAvailability"),
        ({"capacity": 100, "places_taken": 100}, "SoldOut"),
        ({"capacity": 100, "places_taken": 100, "has_waiting_list": False}, "SoldOut"),
    ],
)
def test_offers_say_whether_there_is_a_place(settings, fields, availability):
    session = make_session(**fields)

    offer = event_of(session.webinar)["offers"]

    assert offer == {
        "@type": "Offer",
        "url": f"{settings.SITE_URL}{session.webinar.get_absolute_url()}#register",
        "price": "0",
        "availability": f"https://schema.org/{availability}",
    }


def test_a_webinar_with_a_price_and_an_opening_says_both():
    webinar = make_webinar(price_amount="12.5", price_currency="EUR", registration_opens_at=NOW + timedelta(days=2))
    make_session(webinar)

    event = event_of(webinar)

    assert event["isAccessibleForFree"] is False
    assert (event["offers"]["price"], event["offers"]["priceCurrency"]) == ("12.50", "EUR")
    assert event["offers"]["validFrom"] == "2026-09-18T09:00:00+00:00"
    assert "availability" not in event["offers"]


def test_what_is_over_or_closed_offers_nothing():
    over = make_session().webinar
    closed = make_session(make_webinar(registration_closes_at=NOW - timedelta(days=1))).webinar

    assert "offers" not in event_of(over, AFTER)
    assert "offers" not in event_of(closed)


def test_capacity_is_not_told_while_it_would_tell_how_few_have_registered():
    few, many = make_session(capacity=100, places_taken=19), make_session(capacity=100, places_taken=20)

    told = [event_of(session.webinar) for session in (few, many)]

    assert [one["remainingAttendeeCapacity"] for one in told] == [81, 80]
    assert [one.get("maximumVirtualAttendeeCapacity") for one in told] == [None, 100]


# ---------- people and organizations ----------


def test_presenters_without_a_public_name_have_none_here():
    webinar = make_webinar()
    make_session(webinar)
    named = make_presenter(host=webinar.host, honorific="Dr", name="Anna Kowalska", job_title="Head", organization="UN")
    make_appearance(webinar, named, order=1)
    make_appearance(webinar, make_presenter(host=webinar.host, name="", job_title="Editor", organization=""), order=2)

    first, second = event_of(webinar)["performer"]

    assert (first["name"], first["jobTitle"]) == ("Dr Anna Kowalska", "Head")
    assert first["worksFor"] == {"@type": "Organization", "name": "UN"}
    assert second["jobTitle"] == "Editor"
    assert "name" not in second


def test_organizations_stand_under_what_they_do():
    webinar = make_full_webinar()
    make_session(webinar)

    event = event_of(webinar)

    assert [one["name"] for one in event["organizer"]] == [webinar.host.name, "Partner 1"]
    assert [one["name"] for one in event["sponsor"]] == ["Partner 2", "Partner 3"]
    assert [one["name"] for one in event["contributor"]] == ["Partner 0", "The Congress", "Partner 4"]
    assert event["organizer"][0]["sameAs"] == "https://border-review.example.org/"
    assert event["superEvent"]["name"] == "Region by region"


# ---------- replay ----------


def test_the_replay_is_told_of_while_anybody_may_watch_it(settings):
    webinar = make_webinar(slug="borders", replay_url="https://video.example.org/secret", title="Borders")
    make_session(webinar)

    before, after = event_of(webinar), event_of(webinar, AFTER)

    assert "recordedIn" not in before
    assert after["recordedIn"]["@type"] == "VideoObject"
    assert after["recordedIn"]["url"] == f"{settings.SITE_URL}/webinars/borders/replay/"
    assert after["recordedIn"]["uploadDate"] == "2026-10-14T14:00:00+00:00"


def test_the_replay_for_registered_people_is_not_told_of():
    webinar = make_webinar(replay_url="https://video.example.org/1", replay_access=Webinar.ReplayAccess.REGISTERED)
    make_session(webinar)

    assert "recordedIn" not in event_of(webinar, AFTER)


def test_joining_and_recording_addresses_are_in_no_data():
    webinar = make_webinar(replay_url="https://video.example.org/secret-recording")
    make_session(webinar, join_url="https://meet.example.org/secret-room")

    text = "".join(json.dumps(event_of(webinar, now)) for now in (NOW, AFTER))

    assert "secret" not in text


# ---------- series ----------


def test_a_series_is_an_event_series_of_its_listed_webinars(settings):
    webinar = make_full_webinar(title="Listed", slug="listed")
    make_session(webinar)
    hidden = make_webinar(host=webinar.host, series=webinar.series, title="Hidden", access=Webinar.Access.UNLISTED)
    series = webinar.series

    event = series_event(series, series.partnerships.all(), [webinar, hidden], now=NOW)

    assert faults(event) == []
    assert (event["@type"], event["name"], event["description"]) == (
        "EventSeries",
        "Region by region",
        "One at a time.",
    )
    assert [one["name"] for one in event["subEvent"]] == ["Listed"]
    assert event["subEvent"][0]["startDate"] == "2026-10-14T13:30:00+01:00"
    assert [one["name"] for one in event["contributor"]] == ["The Congress"]


def test_the_page_of_a_series_carries_its_data(client):
    webinar = make_full_webinar(title="Listed")
    make_session(webinar)

    markup = client.get("/series/region-by-region/").content.decode()

    assert json.loads(script_of(markup))["@type"] == "EventSeries"


# ---------- in the page ----------


def script_of(markup):
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', markup, re.DOTALL)
    return text


def test_no_text_ends_the_script_early(client):
    title = "</script><script>alert(1)</script> & <!-- \u2028"
    webinar = make_webinar(title=title, slug="evil")
    make_session(webinar)

    markup = client.get("/webinars/evil/").content.decode()

    text = script_of(markup)
    assert json.loads(text)["name"] == webinar.title
    assert not set("<>&\u2028") & set(text)


def test_nothing_is_no_script():
    assert as_script(None) == ""
