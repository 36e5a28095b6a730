"""Which recordings are embedded, in which form, and which become a link."""

import pytest

from events.players import Kind, Recording, provider_of, recording_at

YOUTUBE = "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0"
VIMEO = "https://player.vimeo.com/video/76979871?dnt=1"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", YOUTUBE),
        ("https://youtu.be/dQw4w9WgXcQ?si=tracking", YOUTUBE),
        ("https://m.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1", YOUTUBE),
        ("https://www.youtube.com/live/dQw4w9WgXcQ", YOUTUBE),
        ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", YOUTUBE),
        ("https://youtu.be/dQw4w9WgXcQ?t=90", f"{YOUTUBE}&start=90"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1h2m3s", f"{YOUTUBE}&start=3723"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=soon", YOUTUBE),
        ("https://vimeo.com/76979871", VIMEO),
        ("https://player.vimeo.com/video/76979871?dnt=0", VIMEO),
        ("https://vimeo.com/channels/staffpicks/76979871", VIMEO),
        ("https://vimeo.com/76979871/8272103f6e", "https://player.vimeo.com/video/76979871?h=8272103f6e&dnt=1"),
        ("https://www.dailymotion.com/video/x84sh87", "https://geo.dailymotion.com/player.html?video=x84sh87"),
        ("https://dai.ly/x84sh87", "https://geo.dailymotion.com/player.html?video=x84sh87"),
        (
            "https://acme.wistia.com/medias/abcde12345",
            "https://fast.wistia.net/embed/iframe/abcde12345?doNotTrack=true",
        ),
    ],
)
def test_known_players_are_embedded_in_the_form_that_keeps_least(url: str, address: str) -> None:
    recording = recording_at(url)

    assert (recording.kind, recording.address) == (Kind.EMBEDDED, address)
    assert recording.address.startswith(f"{recording.origin}/")


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://replays.example.org/7", "replays.example.org"),
        ("https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", "youtube.com.example.org"),
        ("https://www.youtube.com@example.org/watch?v=dQw4w9WgXcQ", "example.org"),
        ("https://www.youtube.com:8080/watch?v=dQw4w9WgXcQ", "www.youtube.com"),
        ("https://www.youtube.com/watch?v=../../evil", "www.youtube.com"),
        ("https://www.youtube.com/playlist?list=PL1", "www.youtube.com"),
        ("https://vimeo.com/76979871%22onload=x", "vimeo.com"),
        ("https://evilwistia.com/medias/abcde12345", "evilwistia.com"),
        ("https://example.org/film.mp4", "example.org"),
    ],
)
def test_everything_else_is_a_link_that_says_where_it_leads(url: str, provider: str) -> None:
    assert recording_at(url) == Recording(Kind.ELSEWHERE, url, provider)


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://evil.example\\@www.youtube.com/watch?v=dQw4w9WgXcQ", "evil.example"),
        ("https://evil.example\\.youtube.com/watch?v=dQw4w9WgXcQ", "evil.example"),
        ("https://www.youtube.com\\watch?v=dQw4w9WgXcQ", "www.youtube.com"),
        ("https://anna:secret@www.youtube.com/watch?v=dQw4w9WgXcQ", "www.youtube.com"),
        ("https://@www.youtube.com/watch?v=dQw4w9WgXcQ", "www.youtube.com"),
    ],
)
def test_address_that_can_be_read_in_two_ways_is_a_link_that_says_where_browsers_go(url: str, provider: str) -> None:
    assert recording_at(url) == Recording(Kind.ELSEWHERE, url, provider)


@pytest.mark.parametrize(
    "url",
    [
        "javascript://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "ftp://youtu.be/dQw4w9WgXcQ",
        "//www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://[www.youtube.com/watch?v=dQw4w9WgXcQ",
    ],
)
def test_what_is_no_web_address_is_named_as_it_is_and_leads_nowhere(url: str) -> None:
    assert recording_at(url) == Recording(Kind.ELSEWHERE, "", url)


def test_digits_of_other_scripts_are_no_players() -> None:
    url = "https://vimeo.com/\u0667\u0666\u0669\u0667\u0669\u0668\u0667\u0661"

    assert recording_at(url) == Recording(Kind.ELSEWHERE, url, "vimeo.com")


@pytest.fixture
def here(settings):
    settings.SITE_URL = "https://webinars.example.org"
    settings.MEDIA_URL = "/media/"


@pytest.mark.usefixtures("here")
def test_video_among_the_sites_own_media_is_played_from_here() -> None:
    recording = recording_at("https://webinars.example.org/media/replays/caspian.MP4?v=2")

    assert recording == Recording(Kind.OWN, "/media/replays/caspian.MP4")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "url",
    [
        "https://webinars.example.org/media/../admin/film.mp4",
        "https://webinars.example.org/media/%2e%2e/film.mp4",
        "https://webinars.example.org/media/programme.pdf",
        "https://webinars.example.org.evil.example/media/film.mp4",
    ],
)
def test_other_files_are_not_played(url: str) -> None:
    assert recording_at(url).kind == Kind.ELSEWHERE


@pytest.mark.parametrize(
    ("url", "player"),
    [
        ("https://youtu.be/abc", "YouTube"),
        ("https://www.youtube.com/@borders", "YouTube"),
        ("https://vimeo.com/event/4", "Vimeo"),
        ("https://www.dailymotion.com/borders", "Dailymotion"),
        ("https://borders.wistia.com/projects/7", "Wistia"),
        ("https://vimeo.com.example.org/76979871", ""),
        ("https://replays.example.org/youtu.be/abc", ""),
        ("", ""),
    ],
)
def test_the_player_of_an_address_is_known_also_without_a_recording(url, player):
    assert provider_of(url) == player
