"""A host and its owner, signed in: what most tests of the admin begin with."""

import pytest

from tests.builders import make_host, make_organizer


@pytest.fixture
def host():
    return make_host(name="Border Review", time_zone="Europe/London")


@pytest.fixture
def owner(client, host):
    user = make_organizer(host)
    client.force_login(user)
    return user
