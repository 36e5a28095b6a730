"""The bytes of a mail are those that Django and Python would write, and nobody has to wait for them."""

import re
from datetime import UTC, datetime

import pytest
from django.core.mail import BadHeaderError
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registrations import mime

NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)

# Lines that are long, end in spaces, begin with dots, have marks of quoted-printable, or letters beyond ASCII.
TEXT = st.text(
    st.one_of(st.sampled_from(list(" .=\n\t-\x0b\x85é—Жم🙂")), st.characters(codec="utf-8", exclude_characters="\r")),
    min_size=1,
    max_size=400,
)
LINE = st.text(
    st.one_of(st.sampled_from(list(" .,;:<>\"'=éЖم🙂")), st.characters(codec="utf-8", exclude_categories=["C", "Z"])),
    min_size=1,
    max_size=120,
).filter(lambda text: text.strip() == text)


def written(**fields) -> mime.ComposedMail:
    return mime.mail(
        **{
            "subject": "Your place",
            "text": "You have a place.\n",
            "html": "<p>You have a place.</p>\n",
            "sender": mime.Person("Border Review", "events@border.example"),
            "recipient": mime.Person("Anna Karimova", "anna@example.net"),
            "message_id": "<9e9f2d7f94734db7d5150760014c4b934deecfc5.0@webinars.example.org>",
            "language": "en",
            "now": NOW,
            **fields,
        }
    )


def same_boundaries(raw: bytes) -> bytes:
    """With boundaries numbered, since Python draws its own."""
    for number, boundary in enumerate(dict.fromkeys(re.findall(rb'boundary="([^"]+)"', raw))):
        raw = raw.replace(boundary, b"boundary-%d" % number)
    return raw


def by_django(mail: mime.ComposedMail) -> bytes:
    return bytes(mail.message.message().as_bytes(linesep="\r\n"))


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    subject=LINE,
    text=TEXT,
    html=TEXT,
    sender=LINE,
    recipient=st.one_of(LINE, st.just("")),
    content=st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=300)),
    method=st.sampled_from(["REQUEST", "CANCEL"]),
    path=st.one_of(st.none(), st.text(st.sampled_from("aZ09-_/:="), max_size=200)),
)
def test_a_mail_has_the_bytes_that_django_would_write(subject, text, html, sender, recipient, content, method, path):
    mail = written(
        subject=subject,
        text=text,
        html=html,
        sender=mime.Person(sender, "events@border.example"),
        recipient=mime.Person(recipient, "anna@bücher.example"),
        invite=None if content is None else mime.Invite(content.encode(), method),
        unsubscribe_url="" if path is None else f"https://webinars.example.org/{path}",
    )

    assert same_boundaries(mail.as_bytes()) == same_boundaries(by_django(mail))


def test_lines_that_end_as_on_other_machines_are_written_alike():
    mail = written(text="One\r\nTwo\rThree\n", html="\r\n<p>\r\n")

    assert same_boundaries(mail.as_bytes()) == same_boundaries(by_django(mail))


def test_a_mail_that_is_written_twice_has_the_same_bytes():
    assert written().as_bytes() == written().as_bytes()


def test_a_subject_of_two_lines_is_refused():
    with pytest.raises(BadHeaderError):
        written(subject="Your place\nBcc: eve@example.org").as_bytes()
