"""Watching the replay through one's own link, and what that earns."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Session, Webinar
from registrations import signup, tokens
from registrations.models import Registration
from tests.builders import NOW, make_offer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> Registration:
    """Somebody whose session is over and recorded for those who had registered, with a code for watching."""
    webinar = make_webinar(replay_access=Webinar.ReplayAccess.REGISTERED)
    make_offer(webinar, conditions=("replay",))
    registration = make_registration(make_session(webinar))
    hold(webinar)
    return registration


def hold(webinar: Webinar) -> None:
    now = timezone.now()
    Session.objects.update(starts_at=now - timedelta(days=2), ends_at=now - timedelta(days=1))
    Webinar.objects.filter(pk=webinar.pk).update(replay_url="https://youtu.be/dQw4w9WgXcQ")


def path_of(own: Registration) -> str:
    return f"/registrations/{tokens.manage_token(own)}/replay/"


@pytest.mark.parametrize(("price", "has_paid", "may"), [(0, False, True), (40, False, False), (40, True, True)])
def test_who_only_waited_watches_what_they_have_paid_for(client: Client, price: int, has_paid: bool, may: bool) -> None:  # noqa: FBT001 - cases
    webinar = make_webinar(
        replay_access=Webinar.ReplayAccess.REGISTERED, price_amount=price, price_currency="EUR" if price else ""
    )
    session = make_session(webinar, capacity=1)
    make_registration(session)
    waiting = make_registration(session)
    if has_paid:
        signup.mark_paid(waiting, by=None, now=NOW)
    hold(webinar)

    played = client.get(f"{path_of(waiting)}?play=1").content.decode()
    page = client.get(path_of(waiting).removesuffix("replay/")).content.decode()

    assert ("dQw4w9WgXcQ" in played) == may
    assert ("replay/" in page) == may


def test_looking_at_the_page_neither_plays_nor_unlocks(client: Client, own: Registration) -> None:
    response = client.get(path_of(own))

    assert response.status_code == 200
    assert "<iframe" not in response.content.decode()
    assert "frame-src" not in response["Content-Security-Policy"]
    assert not own.offer_codes.get().is_unlocked


def test_starting_the_replay_plays_it_and_unlocks_the_code(client: Client, own: Registration) -> None:
    response = client.post(path_of(own), follow=True)

    assert response.redirect_chain == [(f"{path_of(own)}?play=1", 303)]
    assert 'src="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ' in response.content.decode()
    assert "frame-src https://www.youtube-nocookie.com" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"
    assert "your code is unlocked" in response.content.decode()
    code = own.offer_codes.get()
    assert (code.is_unlocked, code.unlocked_by) == (True, "replay")


def test_starting_it_again_says_nothing_of_codes(client: Client, own: Registration) -> None:
    client.post(path_of(own), follow=True)

    again = client.post(path_of(own), follow=True)

    assert "your code is unlocked" not in again.content.decode()


def test_cancelled_registration_watches_and_earns_nothing(client: Client) -> None:
    webinar = make_webinar(replay_access=Webinar.ReplayAccess.REGISTERED)
    make_offer(webinar, conditions=("replay",))
    own = make_registration(make_session(webinar))
    signup.cancel(own, now=timezone.now() - timedelta(days=4000))
    hold(webinar)

    response = client.post(path_of(own), follow=True)

    assert "This registration is cancelled." in response.content.decode()
    assert "youtube" not in response.content.decode()
    assert not own.offer_codes.get().is_unlocked


def test_replay_whose_time_is_over_earns_nothing(client: Client, own: Registration) -> None:
    Webinar.objects.update(replay_until=timezone.now() - timedelta(hours=1))

    response = client.post(path_of(own), follow=True)

    assert "The replay cannot be watched any more" in response.content.decode()
    assert not own.offer_codes.get().is_unlocked


def test_without_a_recording_the_registration_is_shown(client: Client, own: Registration) -> None:
    Webinar.objects.update(replay_url="")

    assert client.get(path_of(own))["Location"] == f"/registrations/{tokens.manage_token(own)}/"


def test_joining_link_does_not_open_it(client: Client, own: Registration) -> None:
    assert client.get(f"/registrations/{tokens.join_token(own)}/replay/").status_code == 404
