"""Whether the doctor sees which addresses agree, as far as that can be known."""

from collections import Counter
from datetime import timedelta

import pytest

from registrations import probes, reply_addresses
from registrations.models import Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar
from webinar_site.doctor import addresses
from webinar_site.doctor.seen import Light, Seen

pytestmark = pytest.mark.django_db

SITE = "webinars@example.org"


@pytest.fixture(autouse=True)
def production(settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    settings.EMAIL_HOST_USER = ""
    settings.DEFAULT_FROM_EMAIL = f"Webinars <{SITE}>"
    settings.SUBADDRESS_DOMAINS = []


def looked() -> Seen:
    return addresses.check_addresses(addresses.senders(now=NOW))


def entry(host, **fields):
    """The registration of somebody whose calendar has the entry."""
    registration = make_registration(make_session(make_webinar(host=host)), now=NOW)
    Registration.objects.filter(pk=registration.pk).update(**fields)
    return registration


def test_one_address_for_all_is_green_and_named(django_assert_num_queries):
    make_host()

    with django_assert_num_queries(3):
        seen = looked()

    assert seen == Seen(Light.GREEN, f"From and ORGANIZER are the same in every mail: {SITE} (the site).")


def test_a_host_at_the_same_domain_or_one_below_is_green(settings):
    settings.SUBADDRESS_DOMAINS = ["news.example.org"]
    make_host(name="Roads", sender_email="Roads@example.org")
    make_host(name="Rivers", sender_email="rivers@news.example.org")

    seen = looked()

    assert seen.light is Light.GREEN
    assert f"{SITE} (the site); rivers@news.example.org (Rivers); roads@example.org (Roads)." in seen.what
    assert "Each invite is answered at an address of its own at news.example.org." in seen.what


def test_a_host_at_another_domain_is_amber_until_an_invite_from_there_was_answered():
    make_host(sender_email="roads@elsewhere.example")
    before = looked()
    probe = probes.send("me@example.net", sender_email="roads@elsewhere.example", now=NOW)
    probes.note_answer(probe.uid, partstat=Registration.Partstat.ACCEPTED, sender="me@example.net", now=NOW)

    assert before.light is Light.AMBER
    assert "roads@elsewhere.example is at another domain" in before.what
    assert "Send yourself an invite from it" in before.to_do
    assert looked().light is Light.GREEN


def test_the_domain_of_the_mail_servers_login_is_one_that_it_may_send_for(settings):
    settings.EMAIL_HOST_USER = "postmaster@elsewhere.example"
    make_host(sender_email="roads@elsewhere.example")

    assert looked().light is Light.GREEN


@pytest.mark.parametrize("name", ["noreply", "no-reply", "do_not_reply", "NoReply+webinars", "donotreply"])
def test_an_address_that_nobody_reads_is_amber(name):
    make_host(sender_email=f"{name}@example.org")

    seen = looked()

    assert seen.light is Light.AMBER
    assert "looks like an address that nobody reads" in seen.what


def test_entries_that_bear_an_earlier_address_are_amber_and_counted(settings):
    settings.SUBADDRESS_DOMAINS = ["old.example.org"]
    host = make_host(sender_email="roads@example.org")
    for registration in (entry(host), entry(host)):
        tagged = reply_addresses.personal("roads@old.example.org", registration.reference)
        Registration.objects.filter(pk=registration.pk).update(organizer=tagged)

    found = addresses.senders(now=NOW)
    seen = addresses.check_addresses(found)

    assert found.earlier == Counter({"roads@old.example.org": 2})
    assert found.domains == ["example.org", "old.example.org"]
    assert seen.light is Light.AMBER
    assert seen.what.splitlines()[0] == (
        "2 entries of sessions to come bear an earlier address: roads@old.example.org."
    )
    assert "Keep that mailbox" in seen.to_do


def test_entries_with_the_hosts_own_address_with_and_without_a_tag_are_no_earlier_ones(settings):
    settings.SUBADDRESS_DOMAINS = ["example.org"]
    host = make_host(sender_email="Roads@example.org")
    entry(host)
    entry(host, organizer="roads@EXAMPLE.org")
    entry(make_host())

    assert addresses.senders(now=NOW).earlier == Counter()


def test_entries_of_what_is_over_or_withdrawn_do_not_count():
    host = make_host(sender_email="roads@example.org")
    entry(host, organizer="old@example.org", entry=Registration.Entry.CANCELLED)
    entry(host, organizer="old@example.org")

    assert addresses.senders(now=NOW + timedelta(days=60)).earlier == Counter()
    assert addresses.senders(now=NOW).earlier == Counter({"old@example.org": 1})
