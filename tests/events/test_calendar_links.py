"""Links that fill in a web calendar."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from events.calendar_links import MAX_LINK_LENGTH, add_to_calendar_links, subscription_links

START, END = datetime(2026, 10, 28, 12, 30, tzinfo=UTC), datetime(2026, 10, 28, 14, 0, tzinfo=UTC)


def test_every_calendar_gets_title_instants_and_place():
    links = dict(add_to_calendar_links("A & B + C", START, END, "Details, more", "Online"))

    google = parse_qs(urlsplit(links["Google Calendar"]).query)
    outlook = parse_qs(urlsplit(links["Outlook.com"]).query)
    yahoo = parse_qs(urlsplit(links["Yahoo"]).query)
    assert google == {
        "action": ["TEMPLATE"],
        "text": ["A & B + C"],
        "dates": ["20261028T123000Z/20261028T140000Z"],
        "location": ["Online"],
        "details": ["Details, more"],
    }
    assert (outlook["subject"], outlook["startdt"], outlook["enddt"]) == (
        ["A & B + C"],
        ["2026-10-28T12:30:00Z"],
        ["2026-10-28T14:00:00Z"],
    )
    assert (yahoo["title"], yahoo["st"], yahoo["et"]) == (["A & B + C"], ["20261028T123000Z"], ["20261028T140000Z"])
    assert urlsplit(links["Microsoft 365"]).netloc == "outlook.office.com"
    assert urlsplit(links["Microsoft 365"]).query == urlsplit(links["Outlook.com"]).query
    # Without these two, Outlook opens the calendar and fills in nothing.
    assert (outlook["path"], outlook["rru"]) == (["/calendar/action/compose"], ["addevent"])


def test_spaces_are_never_plus_signs():
    links = add_to_calendar_links("Border Challenges", START, END, "two words", "on line")

    assert all("+" not in url and "Border%20Challenges" in url for _label, url in links)


def test_long_details_are_cut_so_that_the_link_still_works():
    links = add_to_calendar_links("Границы", START, END, "слово " * 2000, "Online")

    assert all(len(url) <= MAX_LINK_LENGTH for _label, url in links)
    assert all(len(url) > MAX_LINK_LENGTH / 2 for _label, url in links)


def test_program_is_asked_to_subscribe_and_google_is_told_the_same_address():
    links = subscription_links("https://example.org/my/calendar/ABC.x-y_z.ics")

    assert links == {
        "webcal_url": "webcal://example.org/my/calendar/ABC.x-y_z.ics",
        "google_url": "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fexample.org%2Fmy%2Fcalendar%2FABC.x-y_z.ics",
    }
