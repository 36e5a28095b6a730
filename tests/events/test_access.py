"""What an organizer may do, above all where a host demands a second step of signing in."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from events.access import access_for
from events.models import Membership, User
from tests.builders import make_host, make_organizer, make_passkey, make_webinar

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"
DOOR = "/my/account/second-step/"


@pytest.fixture(autouse=True)
def fresh_limits(settings):
    """allauth counts tries in the cache; and what guards real passwords takes its time."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def demanding():
    return make_host(name="Border Review", requires_second_factor=True)


def signed_in(user):
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def with_app(user):
    secret = totp.generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code_of(secret):
    """What the app shows now."""
    return totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))


def past_the_second_step(user):
    with_app(user)
    client = signed_in(user)
    codes = RecoveryCodes(Authenticator.objects.get(user=user, type="recovery_codes")).get_unused_codes()
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    return client


def page_of(webinar):
    return reverse("admin:events_webinar_change", args=[webinar.pk])


# ---------- what is allowed ----------


def test_an_organizer_without_a_second_step_may_do_nothing_at_a_host_that_demands_one(demanding):
    organizer = make_organizer(demanding)
    other = make_host()
    Membership.objects.create(host=other, user=organizer, role=Membership.Role.EDITOR)

    access = access_for(organizer)

    assert not access.may(demanding.pk)
    assert access.may(other.pk, at_least=Membership.Role.EDITOR)
    assert access.host_ids() == [other.pk]
    assert set(access.waiting) == {demanding.pk}


@pytest.mark.parametrize("make", [lambda user: TOTP.activate(user, "JBSWY3DPEHPK3PXP").instance, make_passkey])
def test_an_app_or_a_passkey_used_in_this_session_is_enough(demanding, make):
    organizer = make_organizer(demanding)
    key = make(organizer).pk

    assert access_for(organizer, taken={key}).may(demanding.pk, at_least=Membership.Role.OWNER)
    assert not access_for(organizer, taken={key + 1}).may(demanding.pk)
    assert not access_for(organizer).may(demanding.pk)


def test_another_persons_passkey_and_recovery_codes_alone_are_not(demanding):
    organizer, other = make_organizer(demanding), make_organizer()
    codes, passkey = RecoveryCodes.activate(organizer).instance, make_passkey(other)

    assert not access_for(organizer, taken={codes.pk, passkey.pk}).may(demanding.pk)


def test_who_signed_in_with_a_recovery_code_has_taken_the_step(demanding):
    organizer = make_organizer(demanding)
    make_passkey(organizer)

    assert access_for(organizer, taken={RecoveryCodes.activate(organizer).instance.pk}).may(demanding.pk)


def test_a_superuser_may_do_nothing_without_a_second_step_once_any_host_demands_it():
    superuser = User.objects.create_superuser("root@example.org")
    webinar = make_webinar()
    before = access_for(superuser)
    demanding = make_host(requires_second_factor=True)

    assert before.may(webinar.host_id)
    assert not access_for(superuser).may(webinar.host_id)
    assert access_for(superuser).waiting == {demanding.pk}
    assert access_for(superuser, taken={make_passkey(superuser).pk}).may(webinar.host_id)


def test_where_nobody_demands_it_nothing_more_is_read(django_assert_num_queries):
    organizer = make_organizer()
    make_passkey(organizer)

    with django_assert_num_queries(1):
        access_for(organizer)


# ---------- the admin's door ----------


@pytest.mark.parametrize("path", ["/admin/", "/admin/events/webinar/", "/admin/login/?next=/admin/events/webinar/"])
def test_who_lacks_it_is_led_to_a_page_that_names_the_host(demanding, path):
    client = signed_in(make_organizer(demanding, password=PASSWORD))

    answer = client.get(path, follow=True)

    assert answer.redirect_chain[-1][0].startswith(DOOR)
    assert len(answer.redirect_chain) <= 2
    assert answer.status_code == 200
    assert "Border Review" in answer.content.decode()
    assert reverse("mfa_add_webauthn") in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/my/", "/my/account/", "/accounts/2fa/", "/accounts/logout/"])
def test_their_own_pages_stay_open(demanding, path):
    client = signed_in(make_organizer(demanding, password=PASSWORD))

    assert client.get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_after_setting_it_up_they_come_back_to_where_they_were_going(demanding):
    webinar = make_webinar(host=demanding)
    client = signed_in(make_organizer(demanding, password=PASSWORD))
    client.get(page_of(webinar), follow=True)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret

    made = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    back = client.get(DOOR)

    assert made.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert f'href="{DOOR}"' in made.content.decode()
    assert back["Location"] == page_of(webinar)
    assert client.get(page_of(webinar)).status_code == 200
    assert f'href="{DOOR}"' not in client.get(reverse("mfa_view_recovery_codes")).content.decode()


def test_a_session_begun_before_the_step_was_set_up_elsewhere_has_to_take_it(demanding):
    organizer = make_organizer(demanding, password=PASSWORD)
    client = signed_in(organizer)
    secret = with_app(organizer)

    waiting = client.get("/admin/", follow=True).content.decode()
    (way,) = set(re.findall(r'href="(/accounts/2fa/reauthenticate/\?next=[^"]+)"', waiting))
    taken = client.post(way, {"code": code_of(secret)}, follow=True)

    assert "have not used it since you signed in" in waiting
    assert "Set one up" not in waiting
    assert taken.redirect_chain[-1][0] == "/admin/"
    assert taken.status_code == 200


def test_who_signed_in_with_the_second_step_goes_straight_in(demanding):
    client = past_the_second_step(make_organizer(demanding, password=PASSWORD))

    assert client.get("/admin/").status_code == 200


def test_switching_the_last_one_off_takes_the_rights_at_once(demanding):
    webinar = make_webinar(host=demanding)
    client = past_the_second_step(make_organizer(demanding, password=PASSWORD))
    before = client.get(page_of(webinar)).status_code
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    client.post(reverse("mfa_deactivate_totp"))

    assert before == 200
    assert client.get(page_of(webinar), follow=True).redirect_chain[-1][0].startswith(DOOR)


def test_who_has_other_hosts_still_works_for_these_and_is_told_what_waits(demanding):
    organizer = make_organizer(demanding, password=PASSWORD)
    theirs, withheld = make_webinar(), make_webinar(host=demanding)
    Membership.objects.create(host=theirs.host, user=organizer)
    client = signed_in(organizer)

    index = client.get("/admin/")

    assert index.status_code == 200
    assert f'href="{DOOR}"' in index.content.decode()
    assert client.get(page_of(theirs)).status_code == 200
    assert client.get(page_of(withheld)).status_code == 302
    assert str(withheld) not in client.get(reverse("admin:events_webinar_changelist")).content.decode()
    assert "do not wait for it" in client.get(DOOR).content.decode()


def test_a_superuser_without_it_does_not_enter_by_djangos_own_rights(demanding):
    client = signed_in(User.objects.create_superuser("root@example.org", PASSWORD))
    # Somebody who signs in with a password proves their address first.
    client.force_login(User.objects.get())

    assert client.get("/admin/account/emailaddress/", follow=True).redirect_chain[-1][0].startswith(DOOR)


def test_a_draft_is_not_shown_to_an_organizer_whose_host_waits(demanding):
    draft = make_webinar(host=demanding, status="draft")
    organizer = make_organizer(demanding, password=PASSWORD)

    assert signed_in(organizer).get(draft.get_absolute_url()).status_code == 404
    assert past_the_second_step(organizer).get(draft.get_absolute_url()).status_code == 200


def test_the_page_leads_nowhere_else_than_here(demanding):
    client = signed_in(make_organizer(demanding, password=PASSWORD))

    client.get(DOOR, {"next": "https://evil.example/"})

    assert "second_step_for" not in client.session


def test_who_need_not_is_led_on_from_the_page():
    organizer = make_organizer(password=PASSWORD)

    assert signed_in(organizer).get(DOOR)["Location"] == "/admin/"
    assert Client().get(DOOR)["Location"].startswith(reverse("account_login"))


# ---------- what the door takes itself: nothing ----------


def test_the_admins_own_page_of_signing_in_takes_no_password():
    victim = User.objects.create_superuser("root@example.org", PASSWORD)
    client = signed_in(make_organizer(password=PASSWORD))

    for typed in ("wrong", PASSWORD):
        answer = client.post("/admin/login/", {"username": victim.email, "password": typed})
        assert answer.status_code == 302

    assert client.session["_auth_user_id"] != str(victim.pk)


def test_passwords_cannot_be_tried_past_the_limit_by_way_of_the_admin():
    organizer = make_organizer(password=PASSWORD)
    client = Client()

    tries = [
        client.post(client.get("/admin/login/")["Location"], {"login": organizer.email, "password": f"wrong {n}"})
        for n in range(6)
    ]
    right = client.post("/admin/login/", {"username": organizer.email, "password": PASSWORD}, follow=True)
    late = client.post(reverse("account_login"), {"login": organizer.email, "password": PASSWORD})

    assert [answer.status_code for answer in tries] == [422] * 5 + [429]
    assert right.status_code == 200
    assert late.status_code == 429
    assert "_auth_user_id" not in client.session


def test_the_admins_own_page_for_a_new_password_leads_to_the_one_that_counts():
    client = signed_in(make_organizer(password=PASSWORD))

    answer = client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": "x"})

    assert answer["Location"] == reverse("account_change_password")
