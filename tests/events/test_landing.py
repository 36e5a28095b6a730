"""What the landing page of a webinar shows."""

import dataclasses
import html
import re
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from events.landing import LandingPage, calendar_copies, landing_page
from events.lookup import get_draft, get_webinar
from events.models import (
    Affiliation,
    Appearance,
    Offer,
    OfferCondition,
    Partner,
    Presenter,
    Series,
    SeriesPartnership,
    Webinar,
    WebinarPartnership,
)
from registrations.forms import RegistrationForm
from tests.builders import (
    NOW,
    make_appearance,
    make_host,
    make_offer,
    make_presenter,
    make_question,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

AFTER = datetime(2020, 11, 2, 9, 0, tzinfo=UTC)


def page_of(webinar, *, now=NOW, zone=None, chosen=None):
    return landing_page(get_webinar(webinar.slug), now=now, zone=zone, chosen=chosen)


def words_of(webinar, *, now=NOW, zone=None):
    """The page as somebody has it who sees no picture and runs no script: its words alone."""
    subject = get_webinar(webinar.slug)
    page = landing_page(subject, now=now, zone=zone)
    request = RequestFactory().get(subject.get_absolute_url())
    form = RegistrationForm(subject, zone, now=now)
    markup = render_to_string("registrations/webinar.html", {"page": page, "form": form}, request=request)
    body = re.sub(r"<(script|style|svg|select)\b.*?</\1>", " ", markup.split("<body>")[1], flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def seed():
    """The webinar of the two seed pages, as it was on 28 October 2020."""
    host = make_host(name="Border Security Report", slug="bsr", time_zone="Europe/London", about="A magazine.")
    series = Series.objects.create(host=host, title="Border security, region by region", slug="regions")
    for order, (name, parent) in enumerate(
        [
            ("UN Counter-Terrorism Centre", "United Nations Office of Counter-Terrorism"),
            ("World Border Security Congress", ""),
        ]
    ):
        partner = Partner.objects.create(host=host, name=name, parent=parent)
        SeriesPartnership.objects.create(series=series, partner=partner, order=order)
    webinar = make_webinar(
        host=host,
        series=series,
        title="Central Asia Border Challenges",
        official_title="Border Challenges in Central Asia in the Context of Counter-Terrorism",
        summary="Those who guard the borders compare what works.",
        about="<p>Remote posts and difficult ground.</p><ul><li>Foreign terrorist fighters</li></ul>",
        attended_count=115,
        interpretation="Interpreted into Russian",
        replay_url="https://video.example.org/1",
        zones=("Europe/Vienna", "America/New_York", "Europe/London", "Asia/Bishkek"),
    )
    make_session(webinar, local_date=date(2020, 10, 28), local_time=time(12, 30), time_zone="Europe/London")
    for order, (honorific, name, job_title, organization, biography) in enumerate(
        [
            ("", "", "Editor", "Border Security Report", ""),
            ("Ms", "Albina Yakubova", "Programme Manager", "OSCE", "<p>Two degrees in law.</p>"),
            ("Mr", "Ulrik P. Ahnfeldt-Mollerup", "Chief of Section", "UNCCT", "<p>Studied in Copenhagen.</p>"),
        ]
    ):
        presenter = make_presenter(
            host=host, honorific=honorific, name=name, job_title=job_title, organization=organization
        )
        presenter.biography = biography
        presenter.save()
        make_appearance(webinar, presenter, role=Appearance.Role.HOST, order=order)
    editor = Presenter.objects.get(name="", host=host)
    Affiliation.objects.create(
        presenter=editor, job_title="Director", organization="World Border Security Congress", order=1
    )
    offer = Offer.objects.create(
        host=host,
        scope=Offer.Scope.SITE,
        headline="50% off your first two months",
        terms="For new subscribers.",
        redeem_url="https://shop.example.org/",
        valid_until=datetime(2020, 11, 30, 22, 59, tzinfo=UTC),
    )
    OfferCondition.objects.create(offer=offer, kind="attended", minutes=30, order=0)
    OfferCondition.objects.create(offer=offer, kind="replay", until=date(2020, 11, 11), order=1)
    return webinar


def test_every_fact_of_the_seed_pages_stands_there_as_text(seed):
    words = words_of(seed, now=AFTER, zone="Asia/Tashkent")

    for fact in (
        "50% off your first two months",
        "Central Asia Border Challenges",
        "Border Challenges in Central Asia in the Context of Counter-Terrorism",
        "in the series Border security, region by region",
        "Those who guard the borders compare what works.",
        "Remote posts and difficult ground.",
        "Held on Wednesday 28 October 2020",
        "17:30 to 19:00 in Tashkent, your time, UTC+5",
        "115 people attended",
        "Attended 115",
        "Price Free",
        "Who can view Everyone",
        "Length 90 minutes",
        "Language English Interpreted into Russian",
        "Hosted by Border Security Report",
        "Watch the replay",
        "Editor Also Director, World Border Security Congress Hosting presenter Border Security Report",
        "Ms Albina Yakubova Programme Manager Hosting presenter OSCE",
        "Two degrees in law.",
        "Mr Ulrik P. Ahnfeldt-Mollerup Chief of Section Hosting presenter UNCCT",
        "Studied in Copenhagen.",
        "Attend a session live for at least 30 minutes",
        "Watch the replay by 11 November 2020",
        "For new subscribers.",
        "Valid until 1 December 2020, 03:59 Tashkent, UTC+5.",
        "In partnership with UN Counter-Terrorism Centre United Nations Office of Counter-Terrorism",
        "World Border Security Congress",
    ):
        assert fact in words


def test_times_stand_from_west_to_east_with_the_readers_among_them(seed):
    words = words_of(seed, now=AFTER, zone="Asia/Tashkent")

    assert (
        "New York 08:30 UTC−4 London 12:30 UTC Vienna 13:30 UTC+1 Tashkent your time 17:30 UTC+5 Bishkek 18:30 UTC+6"
        in words
    )


def test_host_time_is_shown_and_said_so_while_nobody_knows_the_readers(seed):
    words = words_of(seed, now=AFTER)

    assert "12:30 to 14:00 in London, the host’s time, UTC" in words
    assert "your time" not in words


def test_nothing_is_recommended_where_there_is_nothing_else(seed):
    assert page_of(seed, now=AFTER).recommended == []
    assert "Recommended" not in words_of(seed, now=AFTER)


def test_recommended_webinars_are_listed_but_no_drafts_and_no_unlisted_ones(seed):
    recommended = make_webinar(title="Border security in the Sahel")
    make_session(recommended)
    draft = make_webinar(title="A secret plan", status=Webinar.Status.DRAFT)
    unlisted = make_webinar(title="By invitation", access=Webinar.Access.UNLISTED)
    seed.recommended.set([recommended, draft, unlisted])

    words = words_of(seed, now=AFTER)

    assert "Recommended Wed, 14 Oct 2026 Border security in the Sahel" in words
    assert "A secret plan" not in words
    assert "By invitation" not in words


def test_offer_that_has_ended_says_so_and_leaves_the_strip(seed):
    page = page_of(seed, now=datetime(2021, 1, 1, tzinfo=UTC))

    words = words_of(seed, now=datetime(2021, 1, 1, tzinfo=UTC))

    assert page.strip is None
    assert "Ended on 30 November 2020 50% off your first two months" in words


def test_offer_that_has_ended_is_not_dangled_before_the_next_webinar(seed):
    following = make_webinar(host=seed.host)
    make_session(following)

    assert page_of(following).offers == []


def test_partner_of_webinar_and_series_stands_once(seed):
    partner = Partner.objects.get(name="World Border Security Congress")
    WebinarPartnership.objects.create(webinar=seed, partner=partner, kind="sponsor")

    groups = page_of(seed, now=AFTER).partners

    assert [(group.kind, [entry.name for entry in group.partners]) for group in groups] == [
        ("Sponsored by", ["World Border Security Congress"]),
        ("In partnership with", ["UN Counter-Terrorism Centre"]),
    ]


# ---------- states ----------


def test_webinar_without_a_session_is_not_dated_yet():
    page = page_of(make_webinar())

    assert page.state == "unplanned"
    assert not page.takes_registrations
    assert "The date is not set yet" in words_of(page.webinar)


def test_open_webinar_takes_registrations():
    page = page_of(make_session().webinar)

    assert (page.state, page.takes_registrations) == ("open", True)
    assert "Register, free" in words_of(page.webinar)


def test_announced_webinar_says_when_registration_opens():
    webinar = make_session(make_webinar(registration_opens_at=datetime(2026, 10, 1, 8, 0, tzinfo=UTC))).webinar

    assert page_of(webinar).state == "announced"
    assert "Registration opens on Thursday, 1 October 2026 At 17:00 Tokyo, UTC+9." in words_of(
        webinar, zone="Asia/Tokyo"
    )


def test_closed_webinar_says_so():
    webinar = make_session(make_webinar(registration_closes_at=NOW - timedelta(hours=1))).webinar

    assert page_of(webinar).state == "closed"
    assert "Registration has closed" in words_of(webinar)


def test_full_webinar_offers_the_waiting_list():
    webinar = make_session(capacity=5, places_taken=5).webinar

    assert (page_of(webinar).state, page_of(webinar).takes_registrations) == ("waiting", True)
    assert "Join the waiting list" in words_of(webinar)


def test_full_webinar_without_waiting_list_has_no_form():
    webinar = make_session(capacity=5, places_taken=5, has_waiting_list=False).webinar

    assert (page_of(webinar).state, page_of(webinar).takes_registrations) == ("full", False)
    assert "Every place is taken" in words_of(webinar)


def test_running_webinar_still_takes_registrations():
    session = make_session()

    page = page_of(session.webinar, now=session.starts_at + timedelta(minutes=5))

    assert (page.state, page.takes_registrations) == ("running", True)


def test_webinar_is_over_when_its_last_session_has_ended():
    webinar = make_session().webinar
    last = make_session(webinar, local_date=date(2026, 10, 20))

    assert page_of(webinar, now=last.starts_at - timedelta(days=1)).state == "open"
    assert page_of(webinar, now=last.ends_at).state == "over"


def test_cancelled_webinar_says_so_and_strikes_the_date():
    webinar = make_session(make_webinar(status=Webinar.Status.CANCELLED)).webinar

    words = words_of(webinar)

    assert page_of(webinar).state == "cancelled"
    assert "Was planned for Wednesday 14 October 2026" in words
    assert "This webinar will not take place" in words


def test_webinar_whose_every_session_is_cancelled_is_cancelled():
    assert page_of(make_session(state="cancelled").webinar).state == "cancelled"


def test_cancelled_webinar_dangles_no_offer():
    webinar = make_webinar(status=Webinar.Status.CANCELLED)
    make_session(webinar)
    make_offer(webinar, headline="Half price")

    page = page_of(webinar)

    assert (page.offers, page.strip) == ([], None)
    assert "Half price" not in words_of(webinar)


def test_cancelled_webinar_says_what_to_see_instead():
    webinar = make_webinar(status=Webinar.Status.CANCELLED)
    make_session(webinar)
    for title, fields in (
        ("Coming", {}),
        ("Called off too", {"state": "cancelled"}),
        ("Over", {"local_date": date(2026, 8, 1)}),
    ):
        make_session(make_webinar(host=webinar.host, title=title), **fields)
    make_session(make_webinar(title="Of another host"))

    words = words_of(webinar)

    assert [other.title for other in page_of(webinar).recommended] == ["Coming"]
    assert "Instead Wed, 14 Oct 2026 Coming" in words


@pytest.mark.parametrize("fields", [{"status": Webinar.Status.CANCELLED}, {}])
def test_nothing_that_is_over_stands_in_for_what_was_called_off(fields):
    webinar = make_session(make_webinar(**fields), state="cancelled").webinar
    make_session(make_webinar(host=webinar.host, title="Over"), local_date=date(2026, 8, 1))
    make_session(make_webinar(title="Of another host"))

    assert page_of(webinar).recommended == []


def test_ways_to_earn_an_offer_are_no_boxes_to_tick():
    webinar = make_webinar()
    make_session(webinar)
    make_offer(webinar, conditions=("registered", "attended"))

    markup = render_to_string("events/webinar/_offers.html", {"page": page_of(webinar)})

    assert '<ul class="ways"><li>' in markup


def test_page_leads_with_the_next_session_that_takes_place():
    webinar = make_session(state="cancelled").webinar
    second = make_session(webinar, local_date=date(2026, 10, 15))
    make_session(webinar, local_date=date(2026, 10, 16))

    assert page_of(webinar).session == second


def test_small_numbers_of_registrations_are_not_told():
    webinar = make_session(places_taken=19).webinar
    other = make_session(places_taken=20).webinar

    assert page_of(webinar).places_taken is None
    assert page_of(other).places_taken == 20


# ---------- the choice of a session ----------


def test_options_tell_times_in_the_readers_zone_and_where_they_were_planned():
    webinar = make_session(label="Suits Europe").webinar

    option = page_of(webinar, zone="Asia/Tokyo").options[0]

    assert (option.date, option.start_time, option.end_time) == ("Wed, 14 Oct 2026", "21:30", "23:00")
    assert (option.place, option.host_time) == ("Tokyo, UTC+9", "13:30 London, UTC+1")
    assert option.label == "Suits Europe"


def test_first_session_with_a_place_is_ticked():
    webinar = make_session(capacity=5, places_taken=5).webinar
    free = make_session(webinar, local_date=date(2026, 10, 15))

    options = page_of(webinar).options

    assert [(option.id == free.pk, option.is_checked) for option in options] == [(False, False), (True, True)]


def test_chosen_session_stays_ticked():
    webinar = make_session().webinar
    second = make_session(webinar, local_date=date(2026, 10, 15))

    options = page_of(webinar, chosen=second.pk).options

    assert [option.is_checked for option in options] == [False, True]


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({}, "open", "Places free"),
        ({"capacity": 100, "places_taken": 37}, "open", "63 places left"),
        ({"capacity": 100, "places_taken": 90}, "few", "10 places left"),
        ({"capacity": 6, "places_taken": 5}, "few", "1 place left"),
        ({"capacity": 5, "places_taken": 5}, "waiting", "Full, waiting list open"),
        ({"capacity": 5, "places_taken": 5, "has_waiting_list": False}, "full", "Full"),
        ({"state": "cancelled"}, "cancelled", "Cancelled"),
        ({"local_date": date(2026, 9, 1)}, "past", "Ended"),
    ],
)
def test_options_say_what_can_be_done(fields, kind, words):
    option = page_of(make_session(**fields).webinar).options[0]

    assert (option.kind, option.availability.words) == (kind, words)
    assert option.is_selectable == (kind in {"open", "few", "waiting"})


# ---------- what must not happen ----------


def test_drafts_have_no_page():
    with pytest.raises(Webinar.DoesNotExist):
        get_webinar(make_webinar(status=Webinar.Status.DRAFT).slug)


def test_joining_address_is_not_on_the_page(client):
    session = make_session(join_url="https://meet.example.org/secret-room")

    assert "secret-room" not in client.get(session.webinar.get_absolute_url()).content.decode()


def test_markup_in_names_is_shown_and_not_obeyed(client):
    script = "<script>alert(1)</script>"
    webinar = make_webinar(title=script, summary=script, official_title=script, about=f"<p>Good{script}</p>")
    make_session(webinar, label=script)
    make_appearance(webinar, make_presenter(name=script, job_title=script, organization=script))
    make_offer(webinar, headline=script, terms=script)

    markup = client.get(webinar.get_absolute_url()).content.decode()

    assert "<script>alert" not in markup
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in markup


def test_text_in_another_language_says_so(client):
    webinar = make_session(make_webinar(title="Тающие ледники", language="ru")).webinar

    markup = client.get(webinar.get_absolute_url()).content.decode()

    assert '<h1 lang="ru"><bdi>Тающие ледники</bdi></h1>' in markup


@pytest.mark.parametrize("count", [1, 3])
def test_page_takes_eight_queries_whatever_the_numbers(client, django_assert_max_num_queries, seed, count):
    for number in range(count):
        make_session(seed)
        make_appearance(seed)
        make_offer(seed, conditions=("registered", "attended"))
        make_question(seed, wording=f"Question {number}")
        recommended = make_webinar()
        make_session(recommended)
        seed.recommended.add(recommended)
        partner = Partner.objects.create(host=seed.host, name=f"Partner {number}")
        WebinarPartnership.objects.create(webinar=seed, partner=partner)

    with django_assert_max_num_queries(8):
        response = client.get(seed.get_absolute_url())

    assert response.status_code == 200


# ---------- live now ----------


def during(session):
    return session.starts_at + timedelta(minutes=5)


def test_running_session_is_said_to_be_live_since_when_and_until_when():
    session = make_session(label="Suits Europe")
    make_session(session.webinar, local_date=date(2026, 10, 15), label="Suits the Americas")

    words = words_of(session.webinar, now=during(session), zone="Asia/Tokyo")

    assert "Live now Since 21:30, until 23:00 in Tokyo, UTC+9. Suits Europe" in words
    assert "If you have registered, join from the link in your mail." in words
    assert "Register and come in" in words


def test_running_session_without_a_place_leads_to_the_next():
    session = make_session(capacity=5, places_taken=5, has_waiting_list=False)
    make_session(session.webinar, local_date=date(2026, 10, 15))

    words = words_of(session.webinar, now=during(session))

    assert "Register for a later session" in words
    assert "Register and come in" not in words


def test_running_session_that_takes_nobody_has_no_button():
    session = make_session(make_webinar(registration_closes_at=NOW))

    words = words_of(session.webinar, now=during(session))

    assert "Live now" in words
    assert "Registration has closed." in words
    assert "Register and come in" not in words


# ---------- moved ----------


def test_moved_session_says_where_it_was_until_it_begins():
    session = make_session(label="Suits Europe", previous_starts_at=datetime(2026, 10, 14, 16, 0, tzinfo=UTC))

    words = words_of(session.webinar, zone="Asia/Tokyo")

    assert "This webinar has moved" in words
    assert (
        "Suits Europe. It was planned for Thursday, 15 October 2026, 01:00 Tokyo, UTC+9 . "
        "It is now on Wednesday, 14 October 2026, 21:30 Tokyo, UTC+9 ."
    ) in words
    assert "has moved" not in words_of(session.webinar, now=during(session))


def test_cancelled_session_is_not_said_to_have_moved():
    session = make_session(state="cancelled", previous_starts_at=datetime(2026, 10, 14, 16, 0, tzinfo=UTC))

    assert "moved" not in words_of(session.webinar)


# ---------- midnight ----------


def test_end_after_midnight_is_on_the_next_day():
    webinar = make_session().webinar

    assert "23:30 to 01:00 (next day)" in words_of(webinar, zone="Australia/Sydney")
    assert "(next day)" not in words_of(webinar, zone="Asia/Tokyo")


# ---------- calendars and sharing ----------


def test_dates_go_into_calendars_as_copies_and_what_one_subscribes_to_follows(client):
    session = make_session(local_date=date(2031, 5, 14))

    markup = html.unescape(client.get(session.webinar.get_absolute_url()).content.decode())

    for address in (
        f'href="/webinars/{session.webinar.slug}/calendar.ics"',
        "https://calendar.google.com/calendar/render?action=TEMPLATE&",
        "https://outlook.live.com/calendar/deeplink/compose?",
        "https://outlook.office.com/calendar/deeplink/compose?",
        "https://calendar.yahoo.com/?",
        f'href="webcal://localhost:8000/webinars/{session.webinar.slug}/feed.ics"',
        f'href="webcal://localhost:8000/hosts/{session.webinar.host.slug}/calendar.ics"',
        f"https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Flocalhost%3A8000%2Fwebinars%2F{session.webinar.slug}",
        f"mailto:?subject={session.webinar.title.replace(' ', '%20')}&body=",
        f'href="/webinars/{session.webinar.slug}/programme/"',
    ):
        assert address in markup
    words = words_of(session.webinar)
    assert "These are copies: they do not move by themselves when a session moves." in words
    assert "A calendar that you subscribe to follows by itself" in words


@pytest.mark.parametrize(
    ("access", "followed"),
    [
        ("everyone", ["webinar", "host"]),
        ("unlisted", ["host"]),
        ("members", []),
        ("invited", []),
        ("password", []),
    ],
)
def test_listed_webinars_alone_are_offered_to_be_followed(access, followed):
    webinar = make_session(make_webinar(access=access, access_password="sapodilla")).webinar

    assert [whose for whose, _links in page_of(webinar).subscriptions] == followed


def test_what_is_over_or_called_off_goes_into_no_calendar():
    webinar = make_session(state="cancelled").webinar
    coming = make_session(webinar, local_date=date(2026, 10, 15))

    assert [option.id for option, _links in page_of(webinar).calendars] == [coming.pk]
    assert page_of(webinar, now=coming.ends_at).calendars == []


def test_nothing_of_other_sites_is_loaded(client):
    markup = client.get(make_session(local_date=date(2031, 5, 14)).webinar.get_absolute_url()).content.decode()

    loaded = re.findall(r'<(?:link|script|img|iframe|source|video)\b[^>]*(?:href|src)="([^"]*)"', markup)
    assert [address for address in loaded if "://" in address and "localhost" not in address] == []


# ---------- published, and not yet ----------


def test_a_draft_is_read_and_shown_as_the_published_page_will_be(seed):
    make_question(seed)

    published, published_queries = shown_by(get_webinar, seed.slug)
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    draft, draft_queries = shown_by(get_draft, seed.slug)

    assert draft_queries == published_queries > 0
    # While it is a draft nobody can register, and nothing else is different.
    told_apart = {"webinar", "state", "options"}
    for name in (field.name for field in dataclasses.fields(LandingPage) if field.name not in told_apart):
        assert getattr(draft, name) == getattr(published, name), name
    assert [option.starts_at for option in draft.options] == [option.starts_at for option in published.options]
    assert model_to_dict(draft.webinar) == {**model_to_dict(published.webinar), "status": Webinar.Status.DRAFT}
    assert draft.timetable[0][1] == published.timetable[0][1]


def shown_by(read, slug):
    """The page of a webinar that was read so, with all that it works out later, and the queries that it took then."""
    webinar = read(slug)
    with CaptureQueriesContext(connection) as queries:
        page = landing_page(webinar, now=NOW, zone="Asia/Tokyo")
        for name in ("changes_at", "moved", "running", "calendars", "timetable", "mail_link", "places_taken", "replay"):
            getattr(page, name)
    return page, len(queries)


def test_links_into_web_calendars_have_the_public_page_alone():
    session = make_session()

    links = calendar_copies(session.webinar, session.starts_at, session.ends_at)

    assert links
    for _name, url in links:
        assert quote(session.webinar.slug) in url
        assert "meet.example.org" not in url
