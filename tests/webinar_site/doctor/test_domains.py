"""What the doctor makes of the DNS: asked over a real socket, of a name server on this machine."""

import base64
import time

import pytest

from tests.dns_server import NameServer
from webinar_site.doctor import domains
from webinar_site.doctor.deadline import Deadline
from webinar_site.doctor.domains import Dns
from webinar_site.doctor.seen import Light, Seen

HOST = "example.org"


@pytest.fixture(autouse=True)
def mail_is_sent(settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    settings.DKIM_SELECTORS = ["mail2026"]


def asked(name_server: NameServer, look, *names: str, seconds: float = 10) -> Seen:
    return domains.check_each(look, names or (HOST,), Dns(Deadline(seconds), name_server.resolver))


def key_of(octets: int) -> str:
    return base64.b64encode(b"k" * octets).decode()


# ---------- MX ----------


def test_a_domain_that_receives_is_green_and_names_its_servers_in_their_order(name_server):
    name_server.knows(HOST, "MX", "20 backup.example.org.", "10 mail.example.org.")

    seen = asked(name_server, domains.mx)

    assert seen == Seen(Light.GREEN, "Mails to example.org go to mail.example.org, backup.example.org.")


def test_a_domain_without_an_mx_whose_machine_may_receive_is_amber(name_server):
    name_server.knows(HOST, "A", "192.0.2.7")

    seen = asked(name_server, domains.mx)

    assert seen.light is Light.AMBER
    assert "no MX" in seen.what
    assert "Publish an MX record" in seen.to_do


@pytest.mark.parametrize("is_known", [True, False])
def test_a_domain_where_nothing_arrives_is_red(name_server, is_known):
    if is_known:
        name_server.knows(HOST, "TXT", "hello")

    seen = asked(name_server, domains.mx)

    assert seen.light is Light.RED
    assert seen.what == "example.org has neither an MX nor an address: no mail arrives there."


def test_a_domain_that_says_that_it_receives_nothing_is_red(name_server):
    name_server.knows(HOST, "MX", "0 .")

    seen = asked(name_server, domains.mx)

    assert (seen.light, seen.what) == (Light.RED, "example.org says that it receives no mail (a null MX).")


# ---------- SPF ----------


@pytest.mark.parametrize(
    ("record", "light"),
    [
        ("v=spf1 include:_spf.example.net -all", Light.GREEN),
        ("v=spf1 mx ~all", Light.GREEN),
        ("V=SPF1 MX ~ALL", Light.GREEN),
        ("v=spf1 redirect=_spf.example.net", Light.GREEN),
        ("v=spf1 include:_spf.example.net", Light.AMBER),
        ("v=spf1 mx ?all", Light.AMBER),
        ("v=spf1 mx +all", Light.RED),
        ("v=spf1 all", Light.RED),
    ],
)
def test_spf_is_judged_by_what_it_says_of_all_others(name_server, record, light):
    name_server.knows(HOST, "TXT", "unrelated=1", record)

    seen = asked(name_server, domains.spf)

    assert seen.light is light
    assert record in seen.what
    assert bool(seen.to_do) == (light is not Light.GREEN)


def test_a_long_spf_record_is_put_together_from_its_pieces(name_server):
    record = f"v=spf1 {'ip4:192.0.2.1 ' * 30}-all"
    name_server.knows(HOST, "TXT", record)

    assert asked(name_server, domains.spf) == Seen(Light.GREEN, f"SPF of example.org: {record}")


@pytest.mark.parametrize("look", [domains.spf, domains.dmarc])
def test_a_record_is_shown_as_one_line_of_text(name_server, look):
    name_server.knows(HOST, "TXT", r"v=spf1 mx\000\027[2J -all")
    name_server.knows(f"_dmarc.{HOST}", "TXT", r"v=DMARC1;\000\027p=none\010")

    seen = asked(name_server, look)

    assert seen.what.isprintable()
    assert "\0" not in seen.what


@pytest.mark.parametrize("records", [(), ("v=spf10 -all", "spf2.0/pra -all")])
def test_no_spf_is_red(name_server, records):
    name_server.knows(HOST, "TXT", *records, "hello")

    seen = asked(name_server, domains.spf)

    assert seen.light is Light.RED
    assert "has no SPF record" in seen.what
    assert "v=spf1" in seen.to_do


def test_two_spf_records_are_red(name_server):
    name_server.knows(HOST, "TXT", "v=spf1 mx -all", "v=spf1 a -all")

    seen = asked(name_server, domains.spf)

    assert seen.light is Light.RED
    assert "several SPF records" in seen.what


# ---------- DKIM ----------


def test_without_a_selector_dkim_is_amber_and_says_where_to_find_it(name_server, settings):
    settings.DKIM_SELECTORS = []

    seen = asked(name_server, domains.dkim)

    assert (seen.light, seen.what.split(":")[0]) == (Light.AMBER, "Not checked")
    assert "DKIM_SELECTORS" in seen.to_do
    assert name_server.asked == []


@pytest.mark.parametrize(
    ("record", "light", "words"),
    [
        (f"v=DKIM1; k=rsa; p={key_of(294)}", Light.GREEN, "There is a key"),
        (f"k=ed25519; p={key_of(32)}", Light.GREEN, "There is a key"),
        (f"v=DKIM1; p={key_of(162)}", Light.AMBER, "shorter than 2,048 bits"),
        (f"v=DKIM1; p={key_of(94)}", Light.RED, "so short"),
        ("v=DKIM1; p=", Light.RED, "is withdrawn"),
        ("v=DKIM1; p=not*a*key", Light.RED, "cannot be read"),
        (f"v=DKIM2; p={key_of(294)}", Light.RED, "has no key under any of: mail2026"),
        ("hello", Light.RED, "has no key under any of: mail2026"),
    ],
)
def test_dkim_is_judged_by_its_key(name_server, record, light, words):
    name_server.knows(f"mail2026._domainkey.{HOST}", "TXT", record)

    seen = asked(name_server, domains.dkim)

    assert seen.light is light
    assert words in seen.what


def test_one_of_several_selectors_is_enough_for_a_domain(name_server, settings):
    settings.DKIM_SELECTORS = ["old", "mail2026"]
    name_server.knows(f"mail2026._domainkey.{HOST}", "TXT", f"v=DKIM1; p={key_of(294)}")

    assert asked(name_server, domains.dkim) == Seen(Light.GREEN, f"There is a key at mail2026._domainkey.{HOST}.")


# ---------- DMARC ----------


@pytest.mark.parametrize("policy", ["none", "quarantine", "reject"])
def test_dmarc_is_green_with_its_policy(name_server, policy):
    name_server.knows(f"_dmarc.{HOST}", "TXT", f"v=DMARC1; p={policy}; rua=mailto:d@example.org")

    seen = asked(name_server, domains.dmarc)

    assert seen.light is Light.GREEN
    assert f"policy {policy}" in seen.what


def test_dmarc_of_a_domain_above_holds_with_its_policy_for_those_below(name_server):
    name_server.knows(f"_dmarc.{HOST}", "TXT", "v=DMARC1; p=reject; sp=quarantine")

    seen = asked(name_server, domains.dmarc, "news.example.org")

    assert seen.light is Light.GREEN
    assert seen.what.startswith("DMARC at _dmarc.example.org, policy quarantine")
    assert not any("_dmarc.org" in question for question in name_server.asked)


def test_no_dmarc_is_amber(name_server):
    seen = asked(name_server, domains.dmarc)

    assert seen.light is Light.AMBER
    assert "has no DMARC record" in seen.what
    assert "p=none" in seen.to_do


def test_dmarc_without_a_policy_is_amber_and_two_of_them_are_red(name_server):
    name_server.knows(f"_dmarc.{HOST}", "TXT", "v=DMARC1; rua=mailto:d@example.org")
    no_policy = asked(name_server, domains.dmarc)
    name_server.knows(f"_dmarc.{HOST}", "TXT", "v=DMARC1; p=none", "v=DMARC1; p=reject")
    several = asked(name_server, domains.dmarc)

    assert (no_policy.light, several.light) == (Light.AMBER, Light.RED)
    assert "names no policy" in no_policy.what
    assert "several DMARC records" in several.what


# ---------- looking up ----------


@pytest.mark.parametrize("look", [domains.mx, domains.spf, domains.dkim, domains.dmarc])
def test_a_name_server_that_fails_is_amber_and_no_fault_of_the_domain(name_server, look):
    name_server.fails |= {HOST, f"_dmarc.{HOST}", f"mail2026._domainkey.{HOST}"}

    seen = asked(name_server, look)

    assert (seen.light, seen.what) == (Light.AMBER, "It could not be looked up: NoNameservers.")
    assert "/etc/resolv.conf" in seen.to_do


def test_a_silent_name_server_takes_no_longer_than_there_is_time(name_server):
    name_server.silent.add(HOST)
    began = time.monotonic()

    seen = asked(name_server, domains.spf, HOST, seconds=1)

    assert (seen.light, seen.what) == (Light.AMBER, "It could not be looked up: LifetimeTimeout.")
    assert time.monotonic() - began < 3


def test_what_there_is_no_time_for_is_not_asked(name_server):
    seen = asked(name_server, domains.spf, seconds=0)

    assert (seen.light, seen.what) == (Light.AMBER, "It could not be looked up: the time was up.")
    assert name_server.asked == []


def test_several_domains_are_told_by_name_the_gravest_first(name_server):
    name_server.knows("good.example.org", "TXT", "v=spf1 -all")
    name_server.knows("bad.example.org", "TXT", "v=spf1 +all")

    seen = asked(name_server, domains.spf, "good.example.org", "bad.example.org")

    assert seen.light is Light.RED
    first, second = seen.what.splitlines()
    assert first.startswith("bad.example.org: SPF of bad.example.org lets everybody")
    assert second.startswith("good.example.org: ")
    assert seen.to_do == "Write -all or ~all at its end."


def test_a_domain_beyond_ascii_is_asked_for_as_the_dns_spells_it(name_server):
    name_server.knows("xn--bcher-kva.example", "TXT", "v=spf1 -all")

    seen = asked(name_server, domains.spf, "bücher.example")

    assert seen.light is Light.GREEN
    assert name_server.asked == ["xn--bcher-kva.example TXT"]


def test_where_nothing_is_sent_nothing_is_asked(name_server, settings):
    settings.EMAIL_URL = ""

    seen = asked(name_server, domains.spf)

    assert seen == Seen(Light.GREEN, "Not looked up: without EMAIL_URL nothing is sent.")
    assert name_server.asked == []


def test_of_very_many_domains_the_first_are_asked_and_the_rest_counted(name_server):
    names = [f"host{number}.example.org" for number in range(domains.MOST_DOMAINS + 2)]
    for name in names:
        name_server.knows(name, "TXT", "v=spf1 -all")

    seen = asked(name_server, domains.spf, *names)

    assert seen.light is Light.AMBER
    assert seen.what.splitlines()[0] == "Other domains: 2 more were not looked up."
    assert len(name_server.asked) == domains.MOST_DOMAINS
