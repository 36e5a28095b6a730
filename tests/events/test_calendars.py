"""What calendars to subscribe to show, and how they tell that something changed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from events import calendars, scheduling
from events.models import Host, Series, Session, Webinar
from tests.builders import NOW, make_host, make_session, make_webinar

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)
SECOND = timedelta(seconds=1)


def shown(subject, now=NOW):
    return [session.uid for session in calendars.sessions_of(subject, now=now)]


def made_of(webinar, now=NOW):
    """What the calendars of the webinar, its host and its series are made of."""
    subjects: list[Host | Series | Webinar] = [
        calendars.webinars(now).get(pk=webinar.pk),
        calendars.hosts(now).get(pk=webinar.host_id),
    ]
    if webinar.series_id:
        subjects.append(calendars.series(now).get(pk=webinar.series_id))
    return [calendars.made_of(subject) for subject in subjects]


def in_a_series(**fields):
    host = make_host()
    series = Series.objects.create(host=host, title="Region by region", slug=f"regions-{host.pk}")
    return make_webinar(host=host, series=series, **fields)


@pytest.fixture
def seed():
    """A session of a webinar in a series, beside another of the same host."""
    webinar = in_a_series()
    make_session(make_webinar(host=webinar.host, series=webinar.series))
    return make_session(webinar)


# ---------- what they show ----------


def test_cancelled_session_stays_for_thirty_days_to_the_second():
    session = make_session()
    scheduling.cancel_session(session, by=None, now=NOW)

    for subject in (session.webinar, session.webinar.host):
        assert shown(subject, NOW + MONTH - SECOND) == [session.uid]
        assert shown(subject, NOW + MONTH) == []


def test_session_that_is_over_stays_for_thirty_days_to_the_second():
    session = make_session()

    assert shown(session.webinar, session.ends_at + MONTH - SECOND) == [session.uid]
    assert shown(session.webinar, session.ends_at + MONTH) == []


def test_session_cancelled_after_it_was_over_is_withdrawn_for_thirty_days_all_the_same():
    session = make_session()
    later = session.ends_at + timedelta(days=20)

    scheduling.cancel_session(session, by=None, now=later)

    assert shown(session.webinar, later + MONTH - SECOND) == [session.uid]
    assert shown(session.webinar, later + MONTH) == []


def test_file_to_download_has_what_was_long_ago_but_not_what_was_cancelled_then():
    webinar = make_webinar()
    over = make_session(webinar, local_date=date(2020, 10, 28))
    cancelled = make_session(webinar)
    scheduling.cancel_session(cancelled, by=None, now=NOW)

    def copied(now):
        return [session.uid for session in Session.objects.to_copy(now)]

    assert copied(NOW + MONTH - SECOND) == [over.uid, cancelled.uid]
    assert copied(NOW + MONTH) == [over.uid]


@pytest.mark.parametrize("access", Webinar.Access)
@pytest.mark.parametrize("status", Webinar.Status)
def test_listed_webinars_alone_are_shown_and_counted(access, status):
    webinar = in_a_series(access=access, access_password="sapodilla", status=status)
    session = make_session(webinar)
    # Without it the series has no page at all.
    make_webinar(host=webinar.host, series=webinar.series)

    is_listed = access == Webinar.Access.EVERYONE and status != Webinar.Status.DRAFT
    counts = [calendars.made_of(found.get())[0] for found in (calendars.hosts(NOW), calendars.series(NOW))]

    for subject in (webinar, webinar.host, webinar.series):
        assert shown(subject) == ([session.uid] if is_listed else [])
    assert counts == [int(is_listed)] * 2
    assert calendars.webinars(NOW).filter(pk=webinar.pk).exists() == is_listed


# ---------- how they tell that something changed ----------


def move(session):
    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=NOW)


def move_within_the_same_second(session):
    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=session.revised_at)


def rename(session):
    session.webinar.title = "Border challenges, again"
    session.webinar.save()


def rename_in_a_transaction_that_took_long(session):
    """Saved before, and stored after, what the reader has seen as the latest change."""
    latest = Webinar.objects.latest("updated_at").updated_at
    Webinar.objects.filter(pk=session.webinar_id).update(title="Again", updated_at=latest - timedelta(minutes=1))


def put_another_in_its_place(session):
    fields = {"sequence": session.sequence, "revised_at": session.revised_at}
    webinar = session.webinar
    session.delete()
    make_session(webinar, **fields)


@pytest.mark.parametrize(
    "change",
    [
        move,
        move_within_the_same_second,
        rename,
        rename_in_a_transaction_that_took_long,
        put_another_in_its_place,
        lambda session: scheduling.cancel_session(session, by=None, now=NOW),
        lambda session: make_session(session.webinar),
        lambda session: session.delete(),
    ],
)
def test_whatever_a_calendar_shows_anew_is_told_by_what_it_is_made_of(seed, change):
    webinar = seed.webinar
    before = made_of(webinar)

    change(seed)

    after = made_of(webinar)
    assert len(before) == len(after) == 3
    for old, new in zip(before, after, strict=True):
        assert old != new


@pytest.mark.parametrize("status", [Webinar.Status.DRAFT, Webinar.Status.PUBLISHED])
def test_webinar_that_is_hidden_from_lists_is_gone_from_what_the_host_is_made_of(seed, status):
    def of_the_host():
        return calendars.made_of(calendars.hosts(NOW).get(pk=seed.webinar.host_id))

    before = of_the_host()

    Webinar.objects.filter(pk=seed.webinar_id).update(status=status, access="unlisted")

    assert of_the_host() != before


def test_what_falls_out_with_time_changes_what_it_is_made_of(seed):
    scheduling.cancel_session(seed, by=None, now=NOW)
    over = make_session(seed.webinar, local_date=date(2026, 9, 15))

    moments = [NOW, over.ends_at + MONTH, NOW + MONTH]
    seen = {tuple(made_of(seed.webinar, moment)) for moment in moments}

    assert len(seen) == len(moments)


def test_what_others_do_and_what_no_calendar_shows_changes_nothing(seed):
    before = made_of(seed.webinar)

    make_session(local_date=date(2026, 10, 15))
    make_session(make_webinar(host=seed.webinar.host, access="unlisted"))
    Session.objects.filter(pk=seed.pk).update(places_taken=7, label="Suits the Americas")

    assert made_of(seed.webinar) == before


def test_sums_hold_for_more_sessions_than_any_host_plans():
    webinar = make_webinar()
    like = make_session(webinar)
    moment = datetime(2046, 1, 1, tzinfo=UTC)
    Webinar.objects.update(updated_at=moment)
    fields = {"local_date": like.local_date, "local_time": like.local_time, "time_zone": "UTC"}
    moments = {"starts_at": moment, "ends_at": moment + timedelta(hours=1), "revised_at": moment}
    Session.objects.bulk_create(Session(webinar=webinar, **fields, **moments) for _ in range(5_000))

    count, *_sums = made_of(webinar, NOW)[0]

    assert count == 5_001


def test_what_it_is_made_of_is_one_statement(seed, django_assert_num_queries):
    webinar = seed.webinar

    for found, slug in (
        (calendars.hosts, webinar.host.slug),
        (calendars.series, webinar.series.slug),
        (calendars.webinars, webinar.slug),
    ):
        with django_assert_num_queries(1):
            subject = found(NOW).get(slug=slug)
            assert calendars.made_of(subject)[0] > 0
            assert getattr(subject, "host", subject) == webinar.host
