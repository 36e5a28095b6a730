"""Letters that are rendered once for many: each person gets their own words in them, and nobody else's."""

import pytest

from registrations import drafts, emails, outbox
from registrations.mime import ComposedMail
from registrations.models import Registration
from tests.builders import NOW, make_offer, make_registration, make_session

pytestmark = pytest.mark.django_db


def mails_to(*people: Registration) -> list[ComposedMail]:
    batch = {message.registration: message for message in outbox.claim_batch(now=NOW)}
    return [emails.compose(batch[person], now=NOW) for person in people]


def html_of(mail: ComposedMail) -> str:
    [(html, _kind), *_calendar] = mail.message.alternatives
    return str(html)


@pytest.fixture
def session():
    session = make_session()
    make_offer(session.webinar)
    return session


def test_two_people_get_the_same_words_but_for_their_own(session):
    anna = make_registration(session, name="Anna Karimova", email="anna@example.net")
    bob = make_registration(session, name="Bob Ng", email="bob@example.com")

    to_anna, to_bob = mails_to(anna, bob)

    for person, other, mail in ((anna, bob, to_anna), (bob, anna, to_bob)):
        for words in (str(mail.message.body), html_of(mail)):
            for own in (person.name, person.email, person.reference, person.offer_codes.get().code):
                assert own in words
            for foreign in (other.name, other.email, other.reference, other.offer_codes.get().code):
                assert foreign not in words
    assert html_of(to_anna).count(anna.reference) == html_of(to_bob).count(bob.reference)


def test_the_second_mail_is_not_rendered_anew(session):
    people = [make_registration(session) for _ in range(2)]
    drafts._rendered.cache_clear()

    mails_to(*people)

    assert (drafts._rendered.cache_info().misses, drafts._rendered.cache_info().hits) == (1, 1)


def test_what_differs_beyond_the_person_is_rendered_anew(session):
    here = make_registration(session, time_zone="Asia/Tokyo")
    there = make_registration(session, time_zone="Asia/Tashkent")

    to_tokyo, to_tashkent = mails_to(here, there)

    assert "Tokyo, UTC+9" in str(to_tokyo.message.body)
    assert "Tashkent, UTC+5" in str(to_tashkent.message.body)


def test_a_name_is_written_as_text_whatever_stands_in_it(session):
    sly = make_registration(session, name='<b>"Eve" & Co</b>')

    [mail] = mails_to(sly)

    assert "<b>" not in html_of(mail)
    assert "&lt;b&gt;" in html_of(mail)
    assert 'You have a place, <b>"Eve" & Co</b>' in str(mail.message.body)


def test_a_mark_in_a_name_is_no_mark():
    assert drafts.fill(f"Hello {drafts._MARK}0x", [f"{drafts._MARK}1x", "secret"]) == f"Hello {drafts._MARK}1x"
