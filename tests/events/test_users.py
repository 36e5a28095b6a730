"""Whose address is it: in any letter case, and never somebody else's that only looks alike."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import User

pytestmark = pytest.mark.django_db

# Letters that a database folds and no mail server does.
LOOK_ALIKES = ["boss@gmaıl.com", "boss@gmaİl.com", "BOSS@GMAİL.COM"]


def test_a_user_is_found_in_any_letter_case():
    boss = User.objects.create_user("Boss@Example.org")

    assert User.for_address("bOSS@example.ORG") == boss
    assert User.objects.get_by_natural_key("bOSS@example.ORG") == boss


@pytest.mark.parametrize("address", LOOK_ALIKES)
def test_a_look_alike_is_somebody_else(address):
    User.objects.create_user("boss@gmail.com")

    assert User.for_address(address) is None
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(address)


@pytest.mark.parametrize("address", LOOK_ALIKES)
def test_look_alikes_stand_side_by_side(address):
    boss, other = User.objects.create_user("boss@gmail.com"), User.objects.create_user(address)

    assert User.for_address("boss@gmail.com") == boss
    assert User.for_address(other.email) == other


def test_a_user_is_looked_up_in_the_index():
    is_postgresql = connection.vendor == "postgresql"
    User.objects.bulk_create(User(email=f"person{number}@example.org") for number in range(500))
    with CaptureQueriesContext(connection) as captured:
        User.for_address("Person7@example.org")

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_user")
        cursor.execute(f"{'EXPLAIN' if is_postgresql else 'EXPLAIN QUERY PLAN'} {captured[0]['sql']}")
        plan = str(cursor.fetchall())

    assert "user_email_unique" in plan
