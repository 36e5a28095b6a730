"""The ledger's races, run on the real PostgreSQL."""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from registrations import announcements, correspondence, mailings, outbox, signup, stops, thinning
from registrations.models import BouncedAddress, Mailing, Message, Unsubscription
from tests.builders import make_host, make_registration, make_session, make_webinar
from tests.registrations.test_concurrency import THREADS, all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    assert connection.vendor == "postgresql", "Races are run where they can happen: on PostgreSQL, with scripts/test."


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def session(now):
    return make_session(make_webinar(host=make_host()), local_date=(now + timedelta(days=30)).date())


def people(session, count: int, now: datetime) -> list[Any]:
    return [make_registration(session, now=now - timedelta(hours=1)) for _ in range(count)]


def without_errors(results: list[Any]) -> list[Any]:
    assert [result for result in results if isinstance(result, Exception)] == []
    return results


def test_each_mail_is_claimed_by_one_worker_whatever_the_way(session, now):
    people(session, 40, now)
    left_behind = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:8])
    Message.objects.filter(pk__in=left_behind).update(state="sending", claimed_until=now, attempts=1)
    each = list(Message.objects.values_list("pk", flat=True))
    acts: list[Callable[[], list[Message]]] = [
        *[partial(outbox.claim_batch, now=now, limit=5) for _ in range(12)],
        *[partial(outbox.claim_abandoned, now=now) for _ in range(12)],
        *[lambda pk=pk: list(filter(None, [outbox.claim(pk, now=now)])) for pk in each],
    ]

    claimed = [message.pk for result in without_errors(all_at_once(acts)) for message in result]

    assert Counter(claimed) == Counter(each)
    assert set(Message.objects.filter(pk__in=left_behind).values_list("attempts", flat=True)) == {2}


def test_a_bounce_beside_a_claim_is_noted_once_and_stops_what_is_claimed_later(session, now):
    person = people(session, 1, now)[0]
    Message.objects.update(state="sent", sent_at=now)
    first = Message.objects.select_related("registration").get()
    signup.cancel(person, now=now)
    later = person.messages.get(kind="cancelled")
    bounce = partial(stops.came_back, [first], reason="5.1.1", is_hard=True, now=now)

    results = without_errors(all_at_once([*[bounce] * (THREADS - 1), partial(outbox.claim, later.pk, now=now)]))

    assert results[:-1].count(True) == 1
    assert BouncedAddress.objects.count() == 1
    outbox.release([results[-1]])
    [again] = outbox.claim_batch(now=now)
    assert stops.reason(again) == stops.ADDRESS_FAILS


def test_unsubscribing_many_times_at_once_is_noted_once_and_holds_for_what_is_claimed_later(session, now, monkeypatch):
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.CONFIRMED}))
    person, *_others = people(session, 20, now)
    stop = partial(stops.unsubscribe, person, how=stops.How.ONE_CLICK, now=now)

    results = without_errors(all_at_once([*[stop] * 8, *[partial(outbox.claim_batch, now=now, limit=3)] * 4]))

    assert results[:8].count(True) == 1
    assert Unsubscription.objects.count() == 1
    outbox.release(message for claimed in results[8:] for message in claimed)
    unwanted = [message for message in outbox.claim_batch(now=now) if stops.reason(message)]
    assert [message.registration for message in unwanted] == [person]


def test_whoever_clicks_twice_sends_each_mail_again_once(session, now):
    for number, person in enumerate(people(session, 12, now)):
        end = {"state": "failed"} if number % 2 else {"state": "sent", "sent_at": now, "bounced_at": now}
        person.messages.update(**end)
    everything = Message.objects.filter(registration__session=session)

    results = without_errors(all_at_once([partial(correspondence.send_failed_again, everything, now=now)] * 6))

    assert sum(result.count for result in results) == 12
    assert Message.objects.filter(state="queued").count() == 12
    assert Message.objects.count() == 18


def test_thinning_beside_sending_again_loses_nothing_that_is_owed(session, now):
    people(session, 30, now)
    Message.objects.update(state="failed")
    later = now + timedelta(days=500)
    again = [partial(outbox.retry, message, now=now) for message in Message.objects.all()]

    results = without_errors(all_at_once([*[partial(thinning.thin_out, now=later)] * 4, *again]))

    revived = sum(result is True for result in results[4:])
    assert Message.objects.filter(state="queued").count() == revived
    assert Message.objects.count() == revived


def test_thinning_beside_writing_leaves_what_is_new(session, now):
    first = people(session, 5, now)
    Message.objects.update(state="sent", sent_at=now)
    later = now + timedelta(days=500)
    acts = [partial(signup.cancel, person, now=now) for person in first]

    without_errors(all_at_once([*acts, *[partial(thinning.thin_out, now=later)] * 4]))

    assert Message.objects.filter(kind="cancelled", state="queued").count() == 5


def test_stopping_beside_writing_and_claiming_leaves_nothing_on_its_way(session, now, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 4)
    people(session, 30, now)
    Message.objects.update(state="sent", sent_at=now)
    mailing = mailings.announce(
        session.webinar,
        session=session,
        audience=Mailing.Audience.PLACE,
        subject="Slides",
        text="Read them.",
        by=None,
        now=now,
        draft=uuid.uuid4(),
    )
    stop = partial(announcements.stop, mailing, now=now)
    sweep, claim = partial(mailings.sweep, now=now), partial(outbox.claim_batch, now=now, limit=3)

    results = without_errors(all_at_once([sweep, claim, stop, claim, sweep, stop, claim, claim, sweep]))

    mailing.refresh_from_db()
    stopped = [result for result in (results[2], results[5]) if result is not None]
    assert stopped == [mailing.messages.count()]
    assert set(mailing.messages.values_list("state", flat=True)) <= {"cancelled"}
    held = [message for claimed in (results[1], results[3], results[6], results[7]) for message in claimed]
    assert not any(outbox.mark_begun(message, message_id="<1@example.org>", now=now) for message in held)
    assert mailings.sweep(now=now) == 0
