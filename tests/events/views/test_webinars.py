"""The page of the replay, and the programme to print."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Session, Webinar
from tests.builders import make_appearance, make_offer, make_presenter, make_session, make_webinar

pytestmark = pytest.mark.django_db

YOUTUBE = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def held(**fields: Any) -> Webinar:
    """A webinar that was held two years ago, with its recording."""
    webinar = make_webinar(**{"replay_url": YOUTUBE, **fields})
    make_session(webinar, local_date=date(2024, 10, 16))
    return webinar


def words_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def test_replay_page_asks_nobody_before_the_click(client: Client) -> None:
    response = client.get(f"{held().get_absolute_url()}replay/")

    assert response.status_code == 200
    assert "<iframe" not in response.content.decode()
    assert "frame-src" not in response["Content-Security-Policy"]
    assert "your browser asks www.youtube-nocookie.com for it" in words_of(response)
    assert 'href="?play=1#player"' in response.content.decode()


def test_replay_page_plays_after_the_click_and_frames_this_player_alone(client: Client) -> None:
    response = client.get(f"{held().get_absolute_url()}replay/?play=1")

    frame = re.search(r"<iframe [^>]*>", response.content.decode())
    assert frame is not None
    for part in (
        'src="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0"',
        'title="Replay of ',
        'referrerpolicy="strict-origin"',
        'sandbox="allow-scripts allow-same-origin ',
        'loading="lazy"',
    ):
        assert part in frame[0]
    assert "frame-src https://www.youtube-nocookie.com" in response["Content-Security-Policy"].split("; ")


def test_landing_page_never_loads_the_player(client: Client) -> None:
    webinar = held()

    response = client.get(f"{webinar.get_absolute_url()}?play=1")

    assert f'href="{webinar.get_absolute_url()}replay/"' in response.content.decode()
    assert "youtube" not in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Watch the replay of an earlier session"),
        (
            {"replay_access": Webinar.ReplayAccess.REGISTERED},
            "The replay of an earlier session is for whoever had registered",
        ),
        (
            {"replay_from": datetime(2199, 1, 1, tzinfo=UTC)},
            "The replay of an earlier session will be here from 1 January 2199",
        ),
    ],
)
def test_replay_of_the_first_session_is_offered_beside_the_next(
    client: Client, fields: dict[str, Any], words: str
) -> None:
    webinar = held(**fields)
    make_session(webinar, local_date=timezone.now().date() + timedelta(days=30))

    page = client.get(webinar.get_absolute_url())

    assert words in words_of(page)
    assert (f'href="{webinar.get_absolute_url()}replay/"' in page.content.decode()) is (not fields)
    assert "Register, free" in words_of(page)


def test_before_the_first_session_is_over_there_is_no_word_of_a_replay(client: Client) -> None:
    webinar = make_webinar(replay_url=YOUTUBE)
    for days in (30, 40):
        make_session(webinar, local_date=timezone.now().date() + timedelta(days=days))

    assert "replay of an earlier" not in words_of(client.get(webinar.get_absolute_url()))


def test_recording_elsewhere_is_a_link_that_says_where_it_leads(client: Client) -> None:
    response = client.get(f"{held(replay_url='https://replays.example.org/7').get_absolute_url()}replay/?play=1")

    assert "Go to replays.example.org" in words_of(response)
    assert "<iframe" not in response.content.decode()
    assert "frame-src" not in response["Content-Security-Policy"]


def test_video_of_the_site_is_played_by_the_browser(client: Client, settings) -> None:
    url = f"{held(replay_url=f'{settings.SITE_URL}/media/7.mp4').get_absolute_url()}replay/"

    before, after = client.get(url), client.get(f"{url}?play=1")

    assert "nobody else learns that you watch it" in words_of(before)
    assert "<video" not in before.content.decode()
    assert 'src="/media/7.mp4"' in after.content.decode()
    assert "media-src 'self'" in after["Content-Security-Policy"]


def test_replay_for_registered_people_says_so_and_does_not_play(client: Client) -> None:
    webinar = held(replay_access="registered")

    response = client.get(f"{webinar.get_absolute_url()}replay/?play=1")

    assert "The replay is for whoever had registered" in words_of(response)
    assert "youtube" not in response.content.decode()
    assert "The replay is for whoever had registered" in words_of(client.get(webinar.get_absolute_url()))


def test_replay_says_from_when_it_can_be_watched(client: Client) -> None:
    webinar = held(replay_from=timezone.now() + timedelta(days=2))

    for path in (webinar.get_absolute_url(), f"{webinar.get_absolute_url()}replay/?play=1"):
        response = client.get(path)

        assert "The replay will be here on" in words_of(response)
        assert "youtube" not in response.content.decode()


def test_replay_says_that_its_time_is_over(client: Client) -> None:
    webinar = held(replay_until=timezone.now() - timedelta(days=2))

    for path in (webinar.get_absolute_url(), f"{webinar.get_absolute_url()}replay/?play=1"):
        response = client.get(path)

        assert "The replay cannot be watched any more" in words_of(response)
        assert "youtube" not in response.content.decode()


def test_without_a_recording_the_page_of_the_webinar_says_so(client: Client) -> None:
    webinar = held(replay_url="")

    assert client.get(f"{webinar.get_absolute_url()}replay/")["Location"] == webinar.get_absolute_url()


def test_draft_has_neither_replay_nor_programme(client: Client) -> None:
    webinar = held(status=Webinar.Status.DRAFT)

    for page in ("replay", "programme"):
        assert client.get(f"{webinar.get_absolute_url()}{page}/").status_code == 404


def test_programme_has_every_session_in_every_zone_and_whole_biographies(client: Client) -> None:
    webinar = make_webinar(zones=("Europe/London", "Asia/Tashkent"))
    make_session(webinar, label="Suits Europe", local_date=date(2031, 5, 14))
    make_session(webinar, label="Suits the Americas", local_date=date(2031, 5, 15))
    make_offer(webinar, headline="Half price")
    presenter = make_presenter(host=webinar.host, name="Anna Karimova", biography="<p>Thirty years of ports.</p>")
    make_appearance(webinar, presenter)

    response = client.get(f"{webinar.get_absolute_url()}programme/")

    words = words_of(response)
    for fact in (
        "Wed, 14 May 2031, Suits Europe",
        "Thu, 15 May 2031, Suits the Americas",
        "London, UTC+1 Wed, 14 May 2031 13:30 to 15:00",
        "Tashkent, UTC+5 Wed, 14 May 2031 17:30 to 19:00",
        "Tashkent, UTC+5 Thu, 15 May 2031 17:30 to 19:00",
        "Thirty years of ports.",
        "Half price",
        "What we will discuss.",
        f"Hosted by {webinar.host.name}",
    ):
        assert fact in words
    assert "<form" not in response.content.decode()
    assert "<details" not in response.content.decode()


def test_programme_says_what_has_moved(client: Client) -> None:
    session = make_session(local_date=date(2031, 5, 14))
    Session.objects.update(previous_starts_at=session.starts_at - timedelta(days=1))

    response = client.get(f"{session.webinar.get_absolute_url()}programme/", {"tz": "Europe/London"})

    assert "It was planned for Tuesday, 13 May 2031, 13:30 London, UTC+1 ." in words_of(response)
