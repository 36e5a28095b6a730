"""The plan of mails on the pages of hosts and webinars: rows in words, none twice, none that makes up for the past."""

from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from events import mail_rules
from events.models import Host, MailRule, Membership, Webinar
from registrations import mail_plan
from tests.builders import make_host, make_organizer, make_rule, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def host_page(host):
    return reverse("admin:events_host_change", args=[host.pk])


def webinar_page(webinar):
    return reverse("admin:events_webinar_change", args=[webinar.pk])


def save_host(client, host, **changed):
    return client.post(host_page(host), posted(client.get(host_page(host)), id="host_form") | changed, follow=True)


def save_webinar(client, webinar, **changed):
    page = webinar_page(webinar)
    return client.post(page, posted(client.get(page), id="webinar_form") | changed, follow=True)


def new_row(number, purpose, minutes, audience="everybody"):
    """A row that is added to those of the page."""
    start = f"mail_rules-{number}"
    return {
        "mail_rules-TOTAL_FORMS": str(number + 1),
        f"{start}-purpose": purpose,
        f"{start}-minutes": minutes,
        f"{start}-audience": audience,
    }


def plan(subject):
    return sorted(subject.mail_rules.values_list("purpose", "minutes", "audience"))


def test_an_owner_adds_a_mail_which_holds_from_now_on(client, owner, host):
    before = timezone.now()

    save_host(client, host, **new_row(0, "follow_up", "120", "came"))

    assert plan(host) == [("follow_up", 120, "came")]
    assert host.mail_rules.get().holds_from >= before


def test_when_it_starts_is_a_choice_like_any_other(client, owner, host):
    save_host(client, host, **new_row(0, "reminder", "0"))

    assert plan(host) == [("reminder", 0, "everybody")]


def test_a_changed_mail_holds_from_now_on_and_the_others_as_before(client, owner, host):
    kept, changed = make_rule(host, 24 * 60), make_rule(host, 60)

    save_host(client, host, **{"mail_rules-1-minutes": "120"})

    kept.refresh_from_db()
    changed.refresh_from_db()
    assert (kept.minutes, kept.holds_from) == (24 * 60, LONG_AGO)
    assert (changed.minutes, changed.holds_from > LONG_AGO) == (120, True)


def test_a_length_that_is_not_in_the_list_stays(client, owner, host):
    make_rule(host, 36 * 60)

    save_host(client, host, about="We meet online.")

    assert plan(host) == [("reminder", 36 * 60, "everybody")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("reminder", "60"), "This mail is in the plan already."),
        (("reminder", "30", "came"), "A reminder is for everybody with a place."),
        (("follow_up", "120"), "Those who came and those who did not get different mails"),
        (("reminder", ""), "This field is required."),
        (("reminder", "61"), "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_row(client, owner, host, row, words):
    make_rule(host, 60)

    response = save_host(client, host, **new_row(1, *row))

    assert words in response.content.decode()
    assert plan(host) == [("reminder", 60, "everybody")]


@pytest.mark.parametrize("whose", ["host", "webinar"])
def test_a_plan_that_somebody_else_has_changed_meanwhile_says_so_where_it_can_be_read(client, owner, host, whose):
    webinar = make_webinar(host=host, has_own_mail_rules=True)
    subject, save, page = (
        (host, save_host, host_page(host)) if whose == "host" else (webinar, save_webinar, webinar_page(webinar))
    )
    rule = make_rule(subject, 60)
    kept = make_rule(subject, 30)
    sent = posted(client.get(page), id=f"{whose}_form")
    rule.delete()

    response = client.post(page, sent | {"mail_rules-1-minutes": "120"}, follow=True)

    assert "Somebody has changed this plan meanwhile: load the page again." in response.content.decode()
    kept.refresh_from_db()
    assert kept.minutes == 30
    save(client, subject)  # once it is loaded again


def test_after_saving_a_plan_those_that_never_go_out_by_themselves_are_named(client, owner, host):
    session = make_session(make_webinar(host=host), local_date=date(2031, 5, 14))
    make_rule(host, 10)

    response = save_host(client, host, **new_row(1, "reminder", "0"))

    content = unescape(response.content.decode())
    assert (
        "“Reminder: When it starts” does not go out by itself: it is within 15 minutes of "
        "“Reminder: 10 minutes before the start”, which tells both."
    ) in content
    assert reverse("admin:events_session_plan_of_mails", args=[session.pk]) in content


def test_a_plan_whose_mails_are_far_enough_apart_is_saved_without_a_word(client, owner, host):
    make_rule(host, 15)

    response = save_host(client, host, **new_row(1, "reminder", "0"))

    assert "does not go out by itself" not in response.content.decode()


@pytest.mark.parametrize(
    ("rules", "pairs"),
    [
        ([("reminder", 10, "everybody"), ("reminder", 0, "everybody")], [(10, 0)]),
        ([("reminder", 15, "everybody"), ("reminder", 0, "everybody")], []),
        ([("follow_up", 120, "came"), ("follow_up", 120, "stayed_away")], []),
        ([("survey", 125, "everybody"), ("follow_up", 120, "stayed_away")], [(120, 125)]),
        ([("follow_up", 0, "came"), ("survey", 10, "came"), ("survey", 20, "came")], [(0, 10)]),
        ([("follow_up", 0, "came"), ("replay", 0, "everybody")], []),
    ],
)
def test_the_rules_alone_tell_which_go_out_as_one(rules, pairs):
    plan = [MailRule(purpose=purpose, minutes=minutes, audience=audience) for purpose, minutes, audience in rules]
    for number, rule in enumerate(plan):
        rule.pk = number + 1

    assert [(first.minutes, second.minutes) for first, second in mail_rules.merged(plan)] == pairs
    assert timedelta(minutes=mail_rules.MERGED_MINUTES) == mail_plan.MERGED_WITHIN


def test_the_rows_of_a_webinar_say_whether_they_go_out(client, owner, host):
    webinar = make_webinar(host=host)
    follows = client.get(webinar_page(webinar)).content.decode()
    Webinar.objects.update(has_own_mail_rules=True)
    own = client.get(webinar_page(webinar)).content.decode()

    assert "These do not go out: it follows the plan of the host." in follows
    assert f"{host_page(host)}#mail_rules-group" in follows
    assert "These go out: the webinar has a plan of its own." in own
    for content in (follows, own, client.get(host_page(host)).content.decode()):
        assert "Two within 15 minutes go out as one. What you change holds from now on." in content


def test_editors_look_at_their_hosts_plan_and_change_that_of_a_webinar(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.EDITOR))
    make_rule(host, 60)
    webinar = make_webinar(host=host)

    assert "1 hour before the start" in client.get(webinar_page(webinar)).content.decode()
    save_webinar(client, webinar, **{"has_own_mail_rules": "on", **new_row(0, "reminder", "10")})

    webinar.refresh_from_db()
    assert webinar.has_own_mail_rules
    assert plan(webinar) == [("reminder", 10, "everybody")]
    assert "mail_rules-0-minutes" not in client.get(host_page(host)).content.decode()


def test_a_plan_of_its_own_begins_as_a_copy_of_the_hosts(client, owner, host):
    make_rule(host, 24 * 60)
    make_rule(host, 120, purpose="follow_up", audience="came")
    webinar = make_webinar(host=host)
    before = timezone.now()

    response = save_webinar(client, webinar, has_own_mail_rules="on")

    webinar.refresh_from_db()
    assert plan(webinar) == plan(host)
    assert webinar.mail_rules_since is not None
    assert webinar.mail_rules_since >= before
    assert all(rule.holds_from >= before for rule in webinar.mail_rules.all())
    assert "It begins as a copy of the host" in response.content.decode()


def test_mails_that_are_listed_beside_the_hosts_plan_are_said_not_to_go_out(client, owner, host):
    webinar = make_webinar(host=host)

    response = save_webinar(client, webinar, **new_row(0, "reminder", "10"))

    assert "do not go out: it has the plan of its host" in response.content.decode()


def test_a_first_recording_is_noted_with_its_moment_and_a_corrected_one_is_not(client, owner, host):
    webinar = make_webinar(host=host)
    before = timezone.now()
    save_webinar(client, webinar, replay_url="https://video.example.net/42")
    webinar.refresh_from_db()
    noted = webinar.replay_added_at

    save_webinar(client, webinar, replay_url="https://video.example.net/43")

    webinar.refresh_from_db()
    assert noted is not None
    assert noted >= before
    assert webinar.replay_added_at == noted


def test_a_new_host_begins_with_the_usual_reminders(client):
    client.force_login(make_organizer(is_superuser=True))
    page = reverse("admin:events_host_add")

    client.post(page, posted(client.get(page), id="host_form") | {"name": "New", "slug": "new"})

    assert plan(Host.objects.get(slug="new")) == [("reminder", 60, "everybody"), ("reminder", 1440, "everybody")]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"minutes": 24 * 60}, "24 hours before the start"),
        ({"minutes": 60}, "1 hour before the start"),
        ({"minutes": 10}, "10 minutes before the start"),
        ({"minutes": 7 * 24 * 60}, "7 days before the start"),
        ({"minutes": 0}, "When it starts"),
        ({"purpose": "follow_up", "minutes": 120, "audience": "came"}, "2 hours after the end, to those who came"),
        (
            {"purpose": "follow_up", "minutes": 2880, "audience": "stayed_away"},
            "2 days after the end, to those who did not come",
        ),
        ({"purpose": "replay", "minutes": 0}, "When the replay opens"),
        ({"purpose": "survey", "minutes": 0}, "When it ends"),
    ],
)
def test_a_rule_is_said_as_people_say_it(rule, words):
    assert mail_rules.words(MailRule(**rule)) == words


def test_another_hosts_plan_is_nowhere(client, owner, host):
    theirs = make_host()
    make_rule(theirs, 60)

    assert client.get(host_page(theirs)).status_code in {302, 403}
    assert Webinar.objects.filter(has_own_mail_rules=True).count() == 0
