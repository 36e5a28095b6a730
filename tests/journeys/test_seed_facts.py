"""Every fact that the two original pages carried is on our page as text, with all pictures, styles and scripts gone."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from webinar_site.demonstration.loading import load_demonstration

PATH = "/webinars/central-asia-border-challenges/"
COMING_PATH = "/webinars/caspian-border-challenges/"
WITHOUT_TEXT = {"script", "style", "svg", "template", "select"}


class VisibleText(HTMLParser):
    """Collects the words of a page; a picture's alternative text is no word of it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        if tag in WITHOUT_TEXT:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def text_of_page(html: str) -> str:
    """The words of the page's body on one line."""
    parser = VisibleText()
    parser.feed(html[html.index("<body") :])
    return re.sub(r"\s+", " ", " ".join(parser.words))


@pytest.fixture
def demonstration(db: None, settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    load_demonstration(now=datetime.now(UTC))


@pytest.fixture
def page(demonstration: None, client: Client) -> str:
    response = client.get(PATH)
    assert response.status_code == 200
    return text_of_page(response.content.decode())


@pytest.fixture
def coming(demonstration: None, client: Client) -> str:
    """The successor, which is still to come, as somebody in Tokyo sees it."""
    response = client.get(COMING_PATH, {"tz": "Asia/Tokyo"})
    assert response.status_code == 200
    return text_of_page(response.content.decode())


def missing_from(page: str, facts: list[str]) -> list[str]:
    return [fact for fact in facts if fact.casefold() not in page.casefold()]


def test_offer_with_its_conditions(page: str) -> None:
    facts = [
        "50% off your first two months",
        "any one of these",
        "Register for a session",
        "Attend a session live for at least 45 minutes",
        "Send the presenters a question before the day",
        "Watch the replay",
        # A personal code, in each session.
        "a code made for you",
        "Every session gives its own",
    ]

    assert missing_from(page, facts) == []


def test_all_three_titles_and_who_stands_behind_them(page: str) -> None:
    facts = [
        "Central Asia Border Challenges",
        (
            "Border Challenges in Central Asia in the Context of Counter-Terrorism and Related Transnational "
            "Organized Crime"
        ),
        "Border security, region by region",
        "Hosted by Border Security Report",
        "In partnership with",
        "United Nations Counter-Terrorism Centre (UNCCT)",
        "United Nations Office of Counter-Terrorism",
        "World Border Security Congress (WBSC)",
        "Global Compact",
    ]

    assert missing_from(page, facts) == []


def test_whole_date_and_the_hour_in_each_city(page: str) -> None:
    times = re.findall(r"(New York|London|Vienna|Tashkent|Bishkek|Almaty) (\d\d:\d\d) (UTC(?:[+−]\d+)?)", page)

    assert "Wednesday 28 October 2020" in page
    # Computed. The original's typed "7.30am EST" was an hour wrong.
    assert times == [
        ("New York", "08:30", "UTC−4"),
        ("London", "12:30", "UTC"),
        ("Vienna", "13:30", "UTC+1"),
        ("Tashkent", "17:30", "UTC+5"),
        ("Bishkek", "18:30", "UTC+6"),
        ("Almaty", "18:30", "UTC+6"),
    ]
    assert re.findall(r"\b(?:EST|EDT|CET|GMT)\b", page) == []


def test_own_time_comes_first_and_stands_among_the_cities(demonstration: None, client: Client) -> None:
    page = text_of_page(client.get(PATH, {"tz": "Asia/Tokyo"}).content.decode())

    own = page.index("21:30 to 23:00 in Tokyo, your time, UTC+9")
    assert own < page.index("New York 08:30")
    assert "Almaty 18:30 UTC+6 Tokyo your time 21:30 UTC+9" in page


def test_end_on_the_next_day_says_so(demonstration: None, client: Client) -> None:
    page = text_of_page(client.get(PATH, {"tz": "Australia/Sydney"}).content.decode())

    assert "23:30 to 01:00 (next day) in Sydney, your time, UTC+11" in page


def test_summary_length_language_and_replay(page: str) -> None:
    facts = [
        "Terrorism and organized crime use the same roads through Central Asia.",
        "12:30 to 14:00 in London, the host’s time, UTC",
        "Length 90 minutes",
        "Language English",
        "115 people attended",
        "Watch the replay",
        "Who can watch the replay",
    ]

    assert missing_from(page, facts) == []


def test_ways_to_follow_and_to_tell_others(page: str) -> None:
    facts = [
        "Follow in your calendar",
        "This webinar",
        "All public webinars of",
        "Share this page",
        "Tell somebody by email",
        "Programme to print",
    ]

    assert missing_from(page, facts) == []


def test_sessions_with_places_left_or_the_waiting_list(coming: str) -> None:
    assert re.findall(r"\d+ places? left|Full, waiting list open", coming) == [
        "48 places left",
        "Full, waiting list open",
        "3 places left",
    ]
    facts = [
        "Suits the Caucasus, Central and South Asia Tokyo, UTC+9",
        "Suits Europe, Africa and the Middle East Tokyo, UTC+9 · ",
        "Suits the Americas and the Pacific Tokyo, UTC+9 · ",
        "Only put the dates in your calendar",
        "Google Calendar · Outlook.com · Microsoft 365 · Yahoo",
        "Recommended",
        "Held on Wed, 28 Oct 2020 Central Asia Border Challenges",
    ]
    assert missing_from(coming, facts) == []


def test_access_price_and_attendance(page: str) -> None:
    facts = ["Who can view Everyone", "Price Free", "Attended 115", "About this webinar"]

    assert missing_from(page, facts) == []


def test_twelve_presenters_with_job_titles_and_organizations(page: str) -> None:
    facts = [
        "Editor Also Editor, World Security Report Also Director, World Border Security Congress",
        (
            "Programme Manager Hosting presenter United Nations Counter-Terrorism Centre, "
            "United Nations Office of Counter-Terrorism (UNOCT-UNCCT)"
        ),
        "Head of the Border Security and Management Unit",
        "Programme Manager, Transnational Threats Department",
        "OSCE",
        "Human Rights and Political Affairs Officer",
        "UNRCCA",
        (
            "Deputy Project Coordinator and Deputy Consortium Leader, "
            "Border Management Programme in Central Asia (BOMCA 9)"
        ),
        "State Border Guard of Latvia",
        (
            "Expert Hosting presenter Analytical Support and Sanctions Monitoring Team of the 1267 and 1988 "
            "Sanctions Committees, United Nations"
        ),
        (
            "Coordinator Hosting presenter Analytical Support and Sanctions Monitoring Team of the 1267 and 1988 "
            "Sanctions Committees, United Nations"
        ),
        "Global Firearms Programme",
        "UNODC",
        "Associate Programme Officer, Border Security and Management Unit",
        "Senior Expert",
        "Chief, Countering Terrorism Section",
    ]

    assert missing_from(page, facts) == []
    assert page.count("Hosting presenter") == 12


def test_first_biography(page: str) -> None:
    facts = [
        "Ms Albina Yakubova",
        "OSCE Secretariat in 2013",
        "Programme Management Officer in the Border Security and Management Unit",
        "Transnational Threats Department",
        "foreign terrorist fighters and criminals",
        "borders",
        "Mediterranean",
        "precursor control",
        "prevention of terrorism",
        "human trafficking",
        "UNODC, in its Regional Office for Central Asia (ROCA)",
        "INCB Secretariat",
        "Behavioural analysis",
        "two master’s degrees, in criminal law and in European law",
        "certificates",
    ]

    assert missing_from(page, facts) == []


def test_second_biography(page: str) -> None:
    facts = [
        "Mr Ulrik P. Ahnfeldt-Mollerup",
        "Senior Political Affairs Officer at UNOCT",
        "financing of terrorism",
        "cyber and CBRN terrorism",
        "2013",
        "Programme Office in East Jerusalem",
        "2008 to 2010",
        "Terrorism Prevention Officer at UNODC in Vienna",
        "five years",
        "sanctions against Al-Qaida and the Taliban",
        "Security Council Affairs Division of the UN Department of Political Affairs",
        "Head of Section in the Ministry for Refugee, Migration and Integration Affairs",
        "Master of Laws of Copenhagen University",
        "Master of Arts in Law and Diplomacy of the Fletcher School",
    ]

    assert missing_from(page, facts) == []


def test_subject(page: str) -> None:
    facts = [
        "between European and Asian markets",
        "small arms and light weapons (SALW)",
        "drugs",
        "work abroad",
        "clans",
        "Islamic Movement of Uzbekistan (IMU, also called the Islamic Movement of Turkestan)",
        "Islamic Jihad Group",
        "Al-Qaida",
        "Afghan opiates",
        "Counter-Terrorism Committee in 2018",
        "2,000 to 3,000",
        "foreign terrorist fighters (FTFs)",
        "Iraq and the Syrian Arab Republic",
        "third country",
        "Security Council and the General Assembly",
        "Police, customs and licensing authorities",
        "Afghanistan",
        "Disputes over borders and natural resources",
        "Remote control points, difficult terrain",
        "green border",
        "chemical, biological, radiological and nuclear (CBRN)",
        "dual-use goods",
        "COVID-19",
        "emergency powers",
        "Regional Centre for Preventive Diplomacy for Central Asia (UNRCCA)",
        "Joint Plan of Action for Central Asia",
        "Border Security and Management (BSM) Programme",
        "on land, in the air and at sea",
        "Human rights and the rule of law",
        "United Nations Global Counter-Terrorism Strategy",
        "risk and crisis during a pandemic",
        "Counter-terrorism coordinators",
        "regional and subregional organizations",
    ]

    assert missing_from(page, facts) == []
