"""The policy that keeps foreign scripts from running on public pages."""

import pytest

from tests.builders import make_organizer, make_session, make_webinar

pytestmark = pytest.mark.django_db

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/", "/webinars/borders/", "/accounts/login/", "/nothing-here/"])
def test_public_pages_load_nothing_from_elsewhere(client, path):
    make_session(make_webinar(slug="borders"))

    assert client.get(path)["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("path", ["/admin/", "/mailbox/"])
def test_the_admin_and_the_mailbox_bring_their_own_scripts_and_styles(client, path):
    client.force_login(make_organizer())

    response = client.get(path)

    assert response.status_code == 200
    assert "Content-Security-Policy" not in response
