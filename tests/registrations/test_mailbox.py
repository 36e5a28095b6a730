"""The mails of the trial setting in the browser: every form of a mail, and no way out of its folder."""

import os
import subprocess
import sys

import pytest
from django.urls import reverse
from icalendar import Calendar

pytestmark = pytest.mark.django_db  # a page that is not there looks for where it went

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:reg-1@example.org
SEQUENCE:2
DTSTAMP:20261001T080000Z
DTSTART:20261028T123000Z
DTEND:20261028T140000Z
SUMMARY:Border Challenges
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org
END:VEVENT
END:VCALENDAR
"""

MAIL = """From: Border Review <webinars@example.org>
To: Anna Karimova <anna@example.org>
Subject: =?utf-8?q?Your_place=3A_=D0=93=D1=80=D0=B0=D0=BD=D0=B8=D1=86=D0=B0?=
Date: Wed, 16 Sep 2026 09:00:00 +0000
Message-ID: <abc@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain; charset="utf-8"

You have a place. https://webinars.example.org/registrations/ABC/
--inner
Content-Type: text/html; charset="utf-8"

<html><head><title>x</title></head><body><script>alert(1)</script><p>You have a place</p></body></html>
--inner
Content-Type: text/calendar; charset="utf-8"; method="REQUEST"

{calendar}
--inner--
--outer
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"

{calendar}
--outer--
"""
NAME = "20260916T090000000000-abc.eml"


@pytest.fixture
def folder(tmp_path, settings):
    """A mailbox with one mail in it, and a secret beside it."""
    settings.MAILBOX_DIR = tmp_path / "mail"
    settings.MAILBOX_DIR.mkdir()
    (tmp_path / "secret.eml").write_text("Subject: secret\n\nsecret")
    write(settings.MAILBOX_DIR / NAME, MAIL.format(calendar=CALENDAR))
    return settings.MAILBOX_DIR


def write(path, text):
    path.write_bytes(text.replace("\n", "\r\n").encode())


def test_mails_are_listed_newest_first(client, folder):
    write(folder / "20260917T090000000000-later.eml", "To: b@example.org\nSubject: Later\n\nLater")

    page = client.get(reverse("mailbox")).content.decode()

    assert page.index("Later") < page.index("Your place: Граница")
    assert "anna@example.org" in page


def test_an_empty_mailbox_says_so(client, settings, tmp_path):
    settings.MAILBOX_DIR = tmp_path / "nothing"

    assert "No mail yet." in client.get(reverse("mailbox")).content.decode()


def test_a_mail_is_shown_as_text_with_links_and_with_its_calendar_as_a_table(client, folder):
    response = client.get(reverse("mailbox_message", args=[NAME]))

    page = response.content.decode()
    assert 'href="https://webinars.example.org/registrations/ABC/"' in page
    for words in ("METHOD", "REQUEST", "UID", "reg-1@example.org", "SEQUENCE", "20261028T123000Z"):
        assert words in page
    assert "Wednesday, 28 October 2026, 12:30 UTC" in page
    assert "<script>alert(1)" not in page
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_the_html_part_is_locked_up(client, folder):
    response = client.get(reverse("mailbox_html", args=[NAME]))

    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "You have a place" in response.content.decode()


def test_the_source_is_the_file_to_the_byte(client, folder):
    response = client.get(reverse("mailbox_source", args=[NAME]))

    assert response.content == (folder / NAME).read_bytes()
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_attachments_can_be_saved(client, folder):
    page = client.get(reverse("mailbox_message", args=[NAME])).content.decode()
    number = 3

    response = client.get(reverse("mailbox_attachment", args=[NAME, number]))

    assert reverse("mailbox_attachment", args=[NAME, number]) in page
    assert response["Content-Disposition"] == 'attachment; filename="invite.ics"'
    assert Calendar.from_ical(response.content).events[0]["UID"] == "reg-1@example.org"
    assert client.get(reverse("mailbox_attachment", args=[NAME, 99])).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "..%2Fsecret.eml",
        "%2e%2e%2fsecret.eml",
        ".secret.eml",
        "nothing.eml",
        "link.eml",
        "x%00.eml",
        NAME + "%0a",
    ],
)
@pytest.mark.parametrize("tail", ["", "html/", "source/", "parts/0/"])
def test_no_name_leads_out_of_the_folder(client, folder, name, tail):
    (folder / "link.eml").symlink_to(folder.parent / "secret.eml")
    (folder / ".secret.eml").write_text("Subject: secret\n\nsecret")

    response = client.get(f"/mailbox/{name}/{tail}")

    assert response.status_code == 404
    assert "secret" not in response.content.decode().replace("secret.eml", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Subject: only a head",
        "Subject: =?utf-8?q?=3Cscript=3Ealert(1)=3C/script=3E?=\nDate: nonsense\n\n<script>alert(1)</script>",
        "Content-Type: text/calendar\n\nBEGIN:NONSENSE",
        "Content-Type: multipart/mixed; boundary=x\n\nnever begun",
        "Content-Type: text/plain; charset=nonsense\n\nwords",
    ],
)
def test_a_strange_mail_is_shown_as_far_as_it_can_be(client, folder, text):
    write(folder / "strange.eml", text)

    pages = [
        client.get(reverse("mailbox")),
        client.get(reverse("mailbox_message", args=["strange.eml"])),
        client.get(reverse("mailbox_source", args=["strange.eml"])),
    ]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "<script>alert" not in pages[0].content.decode() + pages[1].content.decode()


def test_with_a_mail_server_there_is_no_mailbox():
    script = "import django; django.setup(); from django.urls import reverse; print(reverse('mailbox'))"
    environment = {**os.environ, "EMAIL_URL": "smtp://localhost", "DJANGO_SETTINGS_MODULE": "webinar_site.settings"}

    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )

    assert "NoReverseMatch" in result.stderr
